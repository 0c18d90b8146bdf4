// The application's menu: what the system expects of one, and nothing that takes a shortcut from
// the shell.
import { Menu, app } from 'electron'
import type { MenuItemConstructorOptions } from 'electron'

/** Sets the menu. On macOS it is seen; elsewhere it only carries the editing shortcuts. */
export function setMenu(): void {
  const mac: MenuItemConstructorOptions[] =
    process.platform === 'darwin' ? [{ role: 'appMenu' }] : []
  const developer: MenuItemConstructorOptions[] = app.isPackaged
    ? []
    : [{ type: 'separator' }, { role: 'toggleDevTools' }]
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      ...mac,
      { role: 'editMenu' },
      { label: 'View', submenu: [{ role: 'togglefullscreen' }, ...developer] },
      { label: 'Window', submenu: [{ role: 'minimize' }, { role: 'zoom' }] },
    ]),
  )
}
