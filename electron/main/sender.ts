// Who sent a message to the main process. Everything that arrives is checked here first.
import type { IpcMainEvent, WebContents } from 'electron'
import { originOf } from './navigation.ts'

/**
 * Did the main frame of this very page, at this very origin, send it? A frame inside the page, a
 * page that has gone elsewhere and any other page are refused.
 */
export function isFrom(
  event: Pick<IpcMainEvent, 'sender' | 'senderFrame'>,
  page: WebContents,
  origin: string,
): boolean {
  const { sender, senderFrame } = event
  if (sender !== page || page.isDestroyed()) return false
  if (senderFrame === null || senderFrame !== page.mainFrame) return false
  return originOf(senderFrame.url) === origin
}
