// Entry of the window's page, in the desktop window and in the daemon's browser page alike.
import './client/validation.ts'
import { createRoot } from 'react-dom/client'
import './ui/tokens.css'
import './ui/base.css'
import { App } from './app/app.tsx'
import { ShellContext, createShell } from './app/shell.tsx'
import { createDaemonHost, onInvitation, takeWantedAddress } from './client/daemon-host.ts'
import { createElectronHost } from './client/electron-host.ts'

const isDesktop = location.protocol === 'cloud:'
const shell = createShell(isDesktop ? createElectronHost() : createDaemonHost(window), window)
const wanted = isDesktop ? null : takeWantedAddress(window)
if (wanted !== null) shell.tabs.open(wanted)
if (!isDesktop) onInvitation(window, shell.openInvitation)
const root = document.getElementById('root')
if (root === null) throw new Error('The page has no root element.')
createRoot(root).render(
  <ShellContext value={shell}>
    <App />
  </ShellContext>,
)
