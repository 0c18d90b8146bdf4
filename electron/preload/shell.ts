// Hands the ports to the shell's page: `dharma:ready` from the page, `dharma:ports` back to it.
import { ipcRenderer } from 'electron'

const ORIGIN = 'cloud://dharma'

window.addEventListener('message', ({ source, origin, data }) => {
  if (source !== window || origin !== ORIGIN || data?.type !== 'dharma:ready') return
  ipcRenderer.send('shell:ready')
})

ipcRenderer.on('shell:ports', ({ ports }) => {
  window.postMessage({ type: 'dharma:ports' }, ORIGIN, [...ports])
})
