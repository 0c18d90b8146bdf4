// Hands a port to a system's page: `dharma:connect` from the page, `dharma:port` back to it.
import { ipcRenderer } from 'electron'

/** The page asks again until it has an answer; the main process is asked once. */
let asked = false

window.addEventListener('message', ({ source, data }) => {
  if (source !== window || data?.type !== 'dharma:connect' || asked) return
  asked = true
  ipcRenderer.send('system:connect')
})

ipcRenderer.on('system:port', ({ ports }, handover: { system: string; theme: string }) => {
  asked = false
  const path = location.pathname + location.search + location.hash
  window.postMessage({ type: 'dharma:port', path, ...handover }, location.origin, [...ports])
})

/** There was no port to give; the page asks again. */
ipcRenderer.on('system:failed', () => {
  asked = false
})

ipcRenderer.on('system:theme', (_event, theme: string) => {
  window.postMessage({ type: 'dharma:theme', theme }, location.origin)
})
