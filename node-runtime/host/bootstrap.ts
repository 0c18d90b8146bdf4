// `--bootstrap`: where to begin in the DHT.
import type { DhtAddress } from 'hyperdht'
import { CloudError } from '../contract/errors.ts'

const ADDRESS = /^([a-z0-9.-]+):(\d{1,5})$/i
const MAX_PORT = 65_535

/** `HOST:PORT,HOST:PORT` as addresses. @throws CloudError BAD_INPUT */
export function parseBootstrap(text: string): DhtAddress[] {
  return text.split(',').map((part) => {
    const [, host, port] = ADDRESS.exec(part.trim()) ?? []
    if (host === undefined || Number(port) < 1 || Number(port) > MAX_PORT) {
      throw new CloudError('BAD_INPUT', `"${part}" is no address like 127.0.0.1:49737.`, {
        bootstrap: text,
      })
    }
    return { host, port: Number(port) }
  })
}

/** Are these all on this computer? Then the cloud has no business outside of it. */
export function isLocal(bootstrap: readonly DhtAddress[]): boolean {
  return bootstrap.every(({ host }) => /^127\.|^localhost$/.test(host))
}
