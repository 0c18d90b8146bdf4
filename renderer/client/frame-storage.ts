// What the pages of systems keep in this browser goes with the system, as it does in the desktop window.
// Only an answer from a system's own origin can delete it: a frame fetches one, out of sight.
import { SerialQueue } from '../../node-runtime/flow/serial-queue.ts'

/** Keys of the systems whose pages may have kept something. */
const KEPT_KEY = 'dharma.system-pages'
/** On this computer an answer is there at once; without one it is asked for again with the next list. */
const VISIT_TIMEOUT_MS = 10_000

export interface FrameStorageOptions {
  page: Window
  /** See `FrameTabsOptions`. */
  systemOrigin: (system: string) => string
  /** Ends the pages of a system, so that none of them writes any more. */
  evict: (system: string) => void
  /** Does the machine that serves the origins answer now? */
  isServed: () => Promise<boolean>
}

export interface FrameStorage {
  /** The keys of what is installed, at first and after every change. Resolves when it is done with. */
  update(installed: readonly string[]): Promise<void>
}

/** Follows the list of installed systems, also over the times when this page was not open. */
export function createFrameStorage({
  page,
  systemOrigin,
  evict,
  isServed,
}: FrameStorageOptions): FrameStorage {
  const visits = new SerialQueue()
  /** By the newest list, which may be newer than the one that a visit is made for. */
  let installed: readonly string[] = []
  const readKept = (): string[] => (page.localStorage.getItem(KEPT_KEY) ?? '').split(' ')
  const keep = (systems: Iterable<string>): void =>
    page.localStorage.setItem(KEPT_KEY, [...new Set(systems)].filter(Boolean).join(' '))

  /**
   * Resolves to whether an answer came. A frame tells of the browser's own error page as of any other,
   * so the machine is asked as well.
   */
  const visit = (system: string): Promise<boolean> =>
    new Promise((resolve) => {
      const frame = page.document.createElement('iframe')
      const end = (came: boolean): void => {
        clearTimeout(timer)
        frame.remove()
        resolve(came)
      }
      const timer = setTimeout(() => end(false), VISIT_TIMEOUT_MS)
      frame.hidden = true
      // Its origin, and nothing else: there is nothing to run.
      frame.setAttribute('sandbox', 'allow-same-origin')
      frame.referrerPolicy = 'no-referrer'
      frame.addEventListener('load', () => void isServed().then(end))
      frame.src = `${systemOrigin(system)}/`
      page.document.body.append(frame)
    })

  return {
    update(keys) {
      installed = keys
      keep([...readKept(), ...keys])
      const isGone = (system: string): boolean => system !== '' && !installed.includes(system)
      return visits.run(async () => {
        for (const system of readKept()) {
          if (!isGone(system)) continue
          evict(system)
          // Installed again meanwhile, its pages may keep something again.
          const isForgotten = (await visit(system)) && isGone(system)
          if (isForgotten) keep(readKept().filter((kept) => kept !== system))
        }
      })
    },
  }
}
