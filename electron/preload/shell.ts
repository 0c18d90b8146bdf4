// Hands the ports to the shell's page: `dharma:ready` from the page, `dharma:ports` back to it, or
// `dharma:failed` with the reason; `dharma:runtime-ready` when there is a runtime to ask for again.
import { ipcRenderer } from 'electron'

const ORIGIN = 'cloud://dharma'

window.addEventListener('message', ({ source, origin, data }) => {
  if (source !== window || origin !== ORIGIN || data?.type !== 'dharma:ready') return
  ipcRenderer.send('shell:ready', data.tabs === true)
})

ipcRenderer.on('shell:ports', ({ ports }) => {
  window.postMessage({ type: 'dharma:ports' }, ORIGIN, [...ports])
})

ipcRenderer.on('shell:failed', (_event, error: unknown) => {
  window.postMessage({ type: 'dharma:failed', error }, ORIGIN)
})

ipcRenderer.on('shell:runtime-ready', () => {
  window.postMessage({ type: 'dharma:runtime-ready' }, ORIGIN)
})
