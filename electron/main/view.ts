// One view: the page of a tab, and what it says of itself.
import { WebContentsView, nativeTheme } from 'electron'
import type { Session, WebContents } from 'electron'
import { Pace } from '../../node-runtime/flow/pace.ts'
import type { Shortcut } from '../contract/shortcuts.ts'
import type { Bounds, ViewState } from '../contract/tabs.ts'
import { describeCrash, describeFailure } from './failures.ts'
import type { Failure } from './failures.ts'
import { Favicon } from './favicon.ts'
import type { Turns } from './favicon.ts'
import { keepFromPeers } from './network.ts'
import { securityOf } from './navigation.ts'
import type { Target } from './navigation.ts'
import { guardPage } from './page-guard.ts'
import { FOCUSING_SHELL, findShortcut } from './shortcuts.ts'

/** Chromium's code for a load that was given up for another. */
const ABORTED = -3

/** A page that renames itself all the time is told of so often: faster than one reads, and no load. */
const REPORT_GAP_MS = 100
/** No strip, list or tool tip shows more. */
const LONGEST_TITLE = 300
/** A system's page needs one port; one that keeps asking gets no more than this until it reloads. */
const MAX_PORTS_PER_DOCUMENT = 16

export interface ViewOptions {
  tab: string
  target: Target
  session: Session
  /** The preload script, for systems only. */
  preload: string | null
  /** Shared by all views of the window. */
  faviconTurns: Turns
  changed: (state: ViewState) => void
  handOver: (url: string) => void
  /** `focusShell`: the person goes on in the shell's page. */
  pressed: (shortcut: Shortcut, focusShell: boolean) => void
  closed: () => void
}

/** A WebContentsView with its policy and its state. */
export class View {
  readonly target: Target
  readonly native: WebContentsView
  readonly #options: ViewOptions
  /** Of what has arrived, or of what failed to; at first, of what is to come. */
  #url: string
  /** Has a page arrived at that address? */
  #arrived = false
  /** Where the person wants to go, until a page arrives or the wish is given up. */
  #pending: string | null = null
  #failure: Failure | null = null
  #favicon: string | null = null
  readonly #icon: Favicon
  readonly #reports = new Pace(REPORT_GAP_MS, () => this.#tell())
  #portsTaken = 0
  #wanted = false
  #visible = false
  #last = ''

  constructor(options: ViewOptions) {
    const { session, preload, target } = options
    this.#options = options
    this.target = target
    this.#url = target.url
    this.native = new WebContentsView({
      webPreferences: {
        session,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInSubFrames: false,
        nodeIntegrationInWorker: false,
        webSecurity: true,
        webviewTag: false,
        spellcheck: false,
        navigateOnDragDrop: false,
        ...(preload === null ? {} : { preload }),
      },
    })
    // Pages without a background expect a white one.
    const dark = target.kind === 'system' && nativeTheme.shouldUseDarkColors
    this.native.setBackgroundColor(dark ? '#1b1f1d' : '#ffffff')
    this.native.setVisible(false)
    const owner =
      target.kind === 'web' ? target : { kind: 'system' as const, system: target.system }
    if (target.kind === 'system') keepFromPeers(this.contents)
    guardPage(this.contents, owner, options.handOver)
    this.#icon = new Favicon({
      owner,
      load: (...request) => session.fetch(...request),
      turns: options.faviconTurns,
      found: (favicon) => {
        this.#favicon = favicon
        this.#report()
      },
    })
    this.#watch(this.contents)
  }

  get contents(): WebContents {
    return this.native.webContents
  }

  load(url: string): void {
    this.#pending = url
    this.#failure = null
    this.#report()
    // Failures come as events.
    this.contents.loadURL(url).catch(() => undefined)
  }

  reload(): void {
    if (this.#failure === null && this.#arrived) this.contents.reload()
    else this.load(this.#url)
  }

  /** Where it is when shown; null hides it. A page that failed to load stays hidden. */
  show(bounds: Bounds | null): void {
    this.#wanted = bounds !== null
    if (bounds !== null) this.native.setBounds(bounds)
    this.#setVisible()
  }

  /** May the document that is loaded now have one more port? Counts it. */
  takePort(): boolean {
    if (this.#portsTaken >= MAX_PORTS_PER_DOCUMENT) return false
    this.#portsTaken += 1
    return true
  }

  /** Ends the page at once, before it can do or keep anything more: its system has gone. */
  evict(): void {
    this.#failure = {
      code: 'SYSTEM_NOT_INSTALLED',
      message: 'This system is no longer installed on this machine.',
    }
    this.contents.forcefullyCrashRenderer()
    this.#report()
  }

  close(): void {
    this.#reports.stop()
    this.#icon.forget()
    if (!this.contents.isDestroyed()) this.contents.close({ waitForBeforeUnload: false })
  }

  get state(): ViewState {
    const { navigationHistory } = this.contents
    return {
      tab: this.#options.tab,
      kind: this.target.kind,
      url: this.#pending ?? this.#url,
      title: this.#failure === null ? this.contents.getTitle().slice(0, LONGEST_TITLE) : '',
      favicon: this.#failure === null ? this.#favicon : null,
      loading: this.#failure === null && this.contents.isLoadingMainFrame(),
      canGoBack: navigationHistory.canGoBack(),
      canGoForward: navigationHistory.canGoForward(),
      security: this.#security,
      failure: this.#failure,
    }
  }

  /** Of the page that has arrived; an address that none has come from yet says nothing of it. */
  get #security(): ViewState['security'] {
    if (this.#failure !== null) return 'error'
    return this.#pending === null && this.#arrived ? securityOf(this.#url) : 'pending'
  }

  #setVisible(): void {
    const visible = this.#wanted && this.#failure === null
    if (visible === this.#visible) return
    this.#visible = visible
    this.native.setVisible(visible)
  }

  /** Something has changed that a page may change in a loop: what is said of it may wait. */
  #report(): void {
    if (this.contents.isDestroyed()) return
    this.#setVisible()
    this.#reports.request()
  }

  /** It is at another place: said at once, since what "back" means hangs on it. */
  #reportPlace(): void {
    if (this.contents.isDestroyed()) return
    this.#setVisible()
    this.#tell()
  }

  /** Tells the shell what has changed, if anything has. */
  #tell(): void {
    if (this.contents.isDestroyed()) return
    const { state } = this
    const text = JSON.stringify(state)
    if (text === this.#last) return
    this.#last = text
    this.#options.changed(state)
  }

  #giveUpPending(): void {
    if (!this.contents.isDestroyed() && !this.contents.isLoadingMainFrame()) this.#pending = null
  }

  #watch(contents: WebContents): void {
    const report = (): void => this.#report()
    contents.on('did-start-loading', report)
    contents.on('did-stop-loading', () => {
      this.#giveUpPending()
      report()
    })
    contents.on('page-title-updated', report)
    // Where a page wants to go, it may never come: its own wishes are not shown, and end the person's.
    contents.on('did-start-navigation', ({ url, isMainFrame, isSameDocument }) => {
      if (!isMainFrame || isSameDocument || url === this.#pending) return
      this.#pending = null
      this.#reportPlace()
    })
    contents.on('did-navigate', (_event, url) => {
      this.#url = url
      this.#arrived = true
      this.#pending = null
      this.#failure = null
      this.#favicon = null
      this.#icon.forget()
      this.#portsTaken = 0
      this.#reportPlace()
    })
    contents.on('did-navigate-in-page', (_event, url, isMainFrame) => {
      if (isMainFrame) {
        this.#url = url
        if (url === this.#pending) this.#pending = null
      }
      this.#reportPlace()
    })
    contents.on('did-fail-load', (_event, code, name, url, isMainFrame) => {
      if (!isMainFrame) return
      if (code === ABORTED) {
        // Stopped, or turned down by the policy: what is shown is still the page before.
        this.#giveUpPending()
      } else {
        this.#url = url || this.#url
        this.#arrived = false
        this.#pending = null
        this.#failure = describeFailure(name)
      }
      report()
    })
    contents.on('render-process-gone', (_event, { reason }) => {
      if (reason === 'clean-exit') return
      this.#failure ??= describeCrash(reason)
      report()
    })
    contents.on('page-favicon-updated', (_event, [first]) => {
      if (first !== undefined) this.#icon.want(first)
    })
    contents.on('before-input-event', (event, input) => {
      const shortcut = findShortcut(input, process.platform)
      if (shortcut === null) return
      event.preventDefault()
      this.#options.pressed(shortcut, FOCUSING_SHELL.includes(shortcut))
    })
    contents.once('destroyed', () => {
      this.#reports.stop()
      this.#icon.forget()
      this.#options.closed()
    })
  }
}
