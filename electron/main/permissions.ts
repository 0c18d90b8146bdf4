// What pages may use of the machine: nothing, but for what is listed here.
import type { Session } from 'electron'

/** Writing text to the clipboard after a click, as every "copy" button does. Never reading it. */
const ALLOWED = ['clipboard-sanitized-write']

/** Is this one of the few things that any page may do? */
export function isPermitted(permission: string): boolean {
  return ALLOWED.includes(permission)
}

/** Denies everything else for all pages of a session, devices included. */
export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => {
    answer(isPermitted(permission))
  })
  session.setPermissionCheckHandler((_contents, permission) => isPermitted(permission))
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}))
}
