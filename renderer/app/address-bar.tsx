import {
  CircleHelp,
  Clock,
  CloudOff,
  Download,
  Globe,
  Lock,
  LockOpen,
  MailOpen,
  Monitor,
  PanelsTopLeft,
  ShieldCheck,
  SquareStack,
  TriangleAlert,
} from 'lucide-react'
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'
import { BUILT_IN_PAGES, pageAddress } from '../client/address.ts'
import { currentAddress } from '../stores/tab-history.ts'
import { KeyPicture } from '../ui/key-picture.tsx'
import { PAGES } from './pages.tsx'
import { useCloud, useOverlay, useShell, useStoreOf, useSystems } from './shell.tsx'
import { suggest } from './suggestions.ts'
import type { Suggestion } from './suggestions.ts'
import { faceOf } from './tab-face.tsx'
import type { TabFace } from './tab-face.tsx'
import './address-bar.css'

const COMMIT_SHOWN = 7

/** Where one is and whose it is; typing finds where to go. */
export function AddressBar({ tab, face }: { tab: string; face: TabFace }): ReactNode {
  const shell = useShell()
  const { tabs, overlays } = shell
  const [text, setText] = useState<string | null>(null)
  const [chosen, setChosen] = useState(0)
  const [note, setNote] = useState<string | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const listId = useId()
  const offers = useOffers(text ?? '')
  const open = text !== null && (offers.length > 0 || note !== null)
  useOverlay(open, 'floats')

  // What was typed for one tab is not for another.
  useEffect(() => {
    setText(null)
    setNote(null)
  }, [tab])
  useEffect(
    () =>
      shell.onShortcut((shortcut) => {
        if (shortcut !== 'focus-address' && shortcut !== 'new-tab') return
        // After the new tab is drawn, so that its address is what gets selected.
        requestAnimationFrame(() => {
          input.current?.focus()
          input.current?.select()
        })
      }),
    [shell],
  )

  const leave = (): void => {
    setText(null)
    setChosen(0)
    setNote(null)
    input.current?.blur()
  }
  const follow = (offer: Suggestion, inNewTab: boolean): void => {
    leave()
    if (offer.kind === 'install') overlays.setState({ installUrl: offer.url })
    else if (offer.kind === 'invitation') shell.openInvitation(offer.link)
    else if (offer.kind === 'tab') tabs.activate(offer.tab)
    else if (inNewTab) tabs.open(offer.address)
    else tabs.go(offer.address)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      const by = event.key === 'ArrowDown' ? 1 : -1
      if (offers.length > 0) setChosen((chosen + by + offers.length) % offers.length)
    } else if (event.key === 'Escape') {
      event.preventDefault()
      leave()
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (text === null) return tabs.reload()
      const offer = offers[chosen]
      if (offer !== undefined) follow(offer, event.altKey)
      else if (text.trim() !== '') {
        setNote('This is no address, and nothing here goes by that name.')
      }
    }
  }

  return (
    <div className="address-bar">
      <Owner face={face} />
      <input
        ref={input}
        className="address-input"
        role="combobox"
        aria-label="Address"
        aria-expanded={open}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={open && offers.length > 0 ? `${listId}-${chosen}` : undefined}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        placeholder="Search, or type an address"
        value={text ?? face.address}
        onFocus={(event) => event.target.select()}
        onBlur={() => setText(null)}
        onChange={(event) => {
          setText(event.target.value)
          setChosen(0)
          setNote(null)
        }}
        onKeyDown={onKeyDown}
      />
      {/* Always in the page, so that what the field controls exists. */}
      <div className="suggestions" hidden={!open}>
        {note !== null && <p role="status">{note}</p>}
        <ul id={listId} role="listbox" aria-label="Suggestions">
          {offers.map((offer, index) => (
            <li
              key={`${offer.kind}/${offer.title}/${offer.detail}`}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === chosen}
              onPointerEnter={() => setChosen(index)}
              // Before the field loses the focus, which closes the list.
              onPointerDown={(event) => {
                event.preventDefault()
                follow(offer, event.ctrlKey || event.metaKey || event.button === 1)
              }}
            >
              <span className="suggestion-icon" aria-hidden="true">
                {ICONS[offer.kind]}
              </span>
              <span className="suggestion-title">{offer.title}</span>
              <span className="suggestion-detail">{offer.detail}</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}

const ICONS: Record<Suggestion['kind'], ReactNode> = {
  address: <Globe />,
  invitation: <MailOpen />,
  install: <Download />,
  tab: <SquareStack />,
  page: <PanelsTopLeft />,
  system: <PanelsTopLeft />,
  visit: <Clock />,
  machine: <Monitor />,
}

function useOffers(text: string): Suggestion[] {
  const state = useStoreOf(
    ({ tabs }) => tabs.store,
    (tabs) => tabs,
  )
  const installed = useSystems((store) => store.systems)
  const machines = useCloud((store) => store.machines)
  const visits = useStoreOf(
    ({ history }) => history,
    (store) => store.visits,
  )
  return useMemo(() => {
    const systems = installed ?? []
    return suggest(text, {
      pages: BUILT_IN_PAGES.map((page) => ({
        title: PAGES[page].title,
        address: pageAddress(page),
      })),
      tabs: state.tabs
        .filter(({ id }) => id !== state.active)
        .map((tab) => ({
          id: tab.id,
          title: faceOf(tab, state, systems).title,
          address: currentAddress(tab, state.views),
        })),
      systems,
      machines,
      visits,
    })
  }, [text, state, installed, machines, visits])
}

/** Whose page it is: the window's own, a system's with its commit, or a site's with its security. */
function Owner({ face }: { face: TabFace }): ReactNode {
  const { target, system, view, failure } = face
  if (target?.kind === 'page') {
    return (
      <span className="owner" title="A page of Dharma itself">
        <ShieldCheck aria-hidden="true" />
        Dharma
      </span>
    )
  }
  if (view?.security === 'unknown') {
    return (
      <span
        className="owner owner-attention"
        title="It is shown in a frame of your browser, which does not say where that has gone or how it is connected. The desktop window does."
      >
        <CircleHelp aria-hidden="true" />
        Not verified
      </span>
    )
  }
  if (target?.kind === 'system') {
    if (system === null) {
      return (
        <span className="owner owner-attention" title="No system with this id is installed">
          <TriangleAlert aria-hidden="true" />
          Not installed
        </span>
      )
    }
    return (
      <span
        className="owner owner-system"
        title={`${system.name} ${system.version}\ncommit ${system.commit}\nfrom ${system.url}`}
      >
        <KeyPicture text={system.commit} size={16} />
        {system.name}
        <span className="mono owner-commit">{system.commit.slice(0, COMMIT_SHOWN)}</span>
      </span>
    )
  }
  if (failure !== null && !/CERT/.test(failure.code)) {
    return (
      <span className="owner" title={failure.message}>
        <CloudOff aria-hidden="true" />
        Not loaded
      </span>
    )
  }
  switch (view?.security) {
    case 'secure':
      return (
        <span
          className="owner"
          title="The connection is encrypted, and the site's certificate is valid"
        >
          <Lock aria-hidden="true" />
          <span className="visually-hidden">Secure</span>
        </span>
      )
    case 'pending':
      return (
        <span className="owner" title="Nothing has arrived from this address yet">
          <Globe aria-hidden="true" />
          <span className="visually-hidden">Not arrived yet</span>
        </span>
      )
    case 'local':
      return (
        <span className="owner" title="A page from this machine">
          <Monitor aria-hidden="true" />
          This machine
        </span>
      )
    case 'error':
      return (
        <span className="owner owner-danger" title="The site's certificate is not valid">
          <TriangleAlert aria-hidden="true" />
          Not secure
        </span>
      )
    default:
      return (
        <span className="owner owner-attention" title="The connection is not encrypted">
          <LockOpen aria-hidden="true" />
          Not secure
        </span>
      )
  }
}
