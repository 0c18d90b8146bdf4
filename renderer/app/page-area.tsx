import { ExternalLink } from 'lucide-react'
import { useLayoutEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { currentEntry } from '../stores/tab-history.ts'
import { pageAddress } from '../client/address.ts'
import type { Frame, TabHost } from '../client/tab-host.ts'
import { FailedPage } from '../features/browser/failed-page.tsx'
import { Button } from '../ui/button.tsx'
import { Loading } from '../ui/progress.tsx'
import { PAGES } from './pages.tsx'
import { useShell, useSystems, useTitle } from './shell.tsx'
import { PANEL_ID, tabElementId } from './tab-strip.tsx'
import { faceOf } from './tab-face.tsx'

/** Where the active tab's page is: a built-in one, a frame, or room for a native view. */
export function PageArea(): ReactNode {
  const { host, tabs, overlays } = useShell()
  const state = useStore(tabs.store)
  const systems = useSystems((store) => store.systems) ?? []
  const overlayOpen = useStore(overlays, ({ open }) => open > 0)
  const slot = useRef<HTMLDivElement>(null)
  const tab = state.tabs.find(({ id }) => id === state.active)
  const entry = tab === undefined ? null : currentEntry(tab)
  const face = tab === undefined ? null : faceOf(tab, state, systems)
  const failure = face?.failure ?? null
  const view = entry?.kind === 'view' && failure === null ? entry.view : null
  const isNative = host.tabs.frames === undefined
  useTitle(face?.title ?? 'Dharma')

  useLayoutEffect(() => {
    const element = slot.current
    if (element === null || view === null || (isNative && overlayOpen)) {
      tabs.show(null)
      return
    }
    const report = (): void => {
      const { left, top, width, height } = element.getBoundingClientRect()
      tabs.show({
        x: Math.round(left),
        y: Math.round(top),
        width: Math.round(width),
        height: Math.round(height),
      })
    }
    report()
    const observer = new ResizeObserver(report)
    observer.observe(element)
    // Its place can change without its size when the rail folds.
    window.addEventListener('resize', report)
    return () => {
      observer.disconnect()
      window.removeEventListener('resize', report)
    }
  }, [view, isNative, overlayOpen, tabs])

  const Page = entry?.kind === 'page' ? PAGES[entry.page].Page : null
  return (
    <div
      ref={slot}
      className={view !== null && isNative ? 'page-slot page-slot-native' : 'page-slot'}
      role="tabpanel"
      id={PANEL_ID}
      aria-labelledby={tab === undefined ? undefined : tabElementId(tab.id)}
      tabIndex={-1}
    >
      {view !== null && <h1 className="visually-hidden">{face?.title}</h1>}
      {Page !== null && tab !== undefined && (
        <div className="page-scroll" key={`${tab.id}/${tab.index}/${tab.generation}`}>
          <Page />
        </div>
      )}
      {failure !== null && face !== null && (
        <div className="page-scroll">
          <FailedPage
            address={face.address}
            failure={failure}
            system={face.system}
            onRetry={() => tabs.reload()}
            onHome={() => tabs.go(pageAddress('home'))}
            onSystems={() => tabs.go(pageAddress('systems'))}
          />
        </div>
      )}
      {isNative && view !== null && face?.view === null && <Loading>Opening</Loading>}
      {host.tabs.frames !== undefined && (
        <Frames frames={host.tabs.frames} shown={view !== null} address={face?.address ?? ''} />
      )}
    </div>
  )
}

interface FramesProps {
  frames: NonNullable<TabHost['frames']>
  shown: boolean
  address: string
}

/** All frames stay in the page in one order: moving one would load it anew. */
function Frames({ frames, shown, address }: FramesProps): ReactNode {
  const all = useStore(frames.store, (state) => state.frames)
  const isWeb = shown && all.find((frame) => frame.shown)?.kind === 'web'
  return (
    <>
      {isWeb && (
        <div className="frame-note">
          <p>Many sites refuse to be shown inside another page. If this one stays empty:</p>
          <Button
            size="small"
            onClick={() => window.open(address, '_blank', 'noopener,noreferrer')}
          >
            <ExternalLink />
            Open in your browser
          </Button>
        </div>
      )}
      <div className="frame-stack" hidden={!shown}>
        {all.map((frame) => (
          <FrameElement key={`${frame.view}/${frame.generation}`} frame={frame} host={frames} />
        ))}
      </div>
    </>
  )
}

function FrameElement({ frame, host }: { frame: Frame; host: FramesProps['frames'] }): ReactNode {
  // A system moves inside its frame by itself; giving the frame that address would load it anew.
  const [src] = useState(frame.src)
  return (
    <iframe
      ref={(element) => host.attach(frame.view, element)}
      className="frame"
      title={frame.title}
      src={src}
      hidden={!frame.shown}
      sandbox="allow-scripts allow-same-origin allow-forms allow-popups"
      referrerPolicy="no-referrer"
      onLoad={() => host.loaded(frame.view)}
    />
  )
}
