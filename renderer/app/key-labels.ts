// How the keys of the window are written for the person; what they mean is in the contract.

export const IS_MAC = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform)

/** A key combination with Command on a Mac and Control elsewhere. */
export function keyLabel(key: string): string {
  return IS_MAC ? `⌘${key}` : `Ctrl+${key}`
}
