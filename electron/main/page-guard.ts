// Puts the navigation policy into force on a page.
import type { WebContents } from 'electron'
import { Gestures } from './gesture.ts'
import { decideNavigation, decideWindowOpen } from './navigation.ts'
import type { PageOwner } from './navigation.ts'

/**
 * Keeps a page where its owner may be. What it wants to open elsewhere goes to `handOver`.
 */
export function guardPage(
  contents: WebContents,
  owner: PageOwner,
  handOver: (url: string) => void,
): void {
  const gestures = new Gestures(contents)

  const check = (
    event: { preventDefault(): void },
    { url, isMainFrame }: { url: string; isMainFrame: boolean },
  ): void => {
    // A gesture is used up only by what needs one.
    const without = decideNavigation(owner, url, { mainFrame: isMainFrame, gesture: false })
    if (without === 'allow') return
    event.preventDefault()
    const gesture = isMainFrame && gestures.take()
    const decision = decideNavigation(owner, url, { mainFrame: isMainFrame, gesture })
    if (decision === 'hand-over') handOver(url)
  }
  contents.on('will-frame-navigate', (event) => check(event, event))
  contents.on('will-redirect', (event) => check(event, event))

  contents.setWindowOpenHandler(({ url }) => {
    if (decideWindowOpen(owner, url, { gesture: gestures.take() }) === 'hand-over') handOver(url)
    return { action: 'deny' }
  })
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.on('certificate-error', (event, _url, _error, _certificate, answer) => {
    event.preventDefault()
    answer(false)
  })
  // By itself, Electron would send the first certificate it finds.
  contents.on('select-client-certificate', (event, _url, _list, answer) => {
    event.preventDefault()
    ;(answer as () => void)()
  })
  // No page may keep the person from leaving it.
  contents.on('will-prevent-unload', (event) => event.preventDefault())
}

/** For pages that nobody has guarded yet: nothing opens, nothing is attached. */
export function guardByDefault(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  contents.on('will-attach-webview', (event) => event.preventDefault())
}
