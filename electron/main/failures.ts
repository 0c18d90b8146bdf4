// Why a page did not load, in words for the person. Pure.

export interface Failure {
  code: string
  message: string
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^ERR_NAME_NOT_RESOLVED|^ERR_DNS/, 'There is no server of this name. Check the address.'],
  [/^ERR_INTERNET_DISCONNECTED|^ERR_NETWORK_/, 'This machine has no connection to the internet.'],
  [/^ERR_CONNECTION_REFUSED/, 'The server is there, but nothing answers at this address.'],
  [/^ERR_CONNECTION_TIMED_OUT|^ERR_TIMED_OUT/, 'The server took too long to answer.'],
  [/^ERR_CONNECTION_|^ERR_EMPTY_RESPONSE|^ERR_SOCKET_/, 'The connection broke off. Try again.'],
  [
    /^ERR_CERT_|^ERR_SSL_/,
    'The server could not prove who it is, so nothing was sent to it and nothing is shown.',
  ],
  [/^ERR_TOO_MANY_REDIRECTS/, 'The server keeps sending us from one address to the next.'],
  [/^ERR_BLOCKED_|^ERR_UNSAFE_/, 'This address may not be opened here.'],
]

/** @param code  Chromium's name of the error, such as `ERR_NAME_NOT_RESOLVED` */
export function describeFailure(code: string): Failure {
  const words = WORDS.find(([pattern]) => pattern.test(code))?.[1]
  return {
    code: code === '' ? 'ERR_FAILED' : code,
    message: words ?? 'The page could not be loaded.',
  }
}

/** @param reason  as Electron's `render-process-gone` has it */
export function describeCrash(reason: string): Failure {
  const message =
    reason === 'oom'
      ? 'The page needed more memory than there is. Reload it to try again.'
      : 'The page stopped working. Reload it to try again.'
  return { code: `PAGE_${reason.toUpperCase().replaceAll('-', '_')}`, message }
}
