import { useState } from 'react'
import type { ReactNode } from 'react'
import type { ShownInvitation } from '../../../node-runtime/contract/cloud.ts'
import { Button } from '../../ui/button.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'

/** More inviters are there on demand. */
const SHOWN_AT_FIRST = 5

/** Who invited whom, of those who agree on that being seen. */
export function WhoInvitedWhom({ shown }: { shown: readonly ShownInvitation[] }): ReactNode {
  const [isWhole, setWhole] = useState(false)
  if (shown.length === 0) return null
  const inviters = byInviter(shown)
  const listed = isWhole ? inviters : inviters.slice(0, SHOWN_AT_FIRST)
  return (
    <div className="who-invited-whom">
      <h3 id="home-who-invited">Who invited whom</h3>
      <p className="muted">Those are here who both agreed to it, in their Settings.</p>
      <ul className="who-invited" aria-labelledby="home-who-invited">
        {listed.map((theirs) => (
          <Inviter key={theirs[0]?.inviter.person} theirs={theirs} />
        ))}
      </ul>
      {listed.length < inviters.length && (
        <div>
          <Button size="small" onClick={() => setWhole(true)}>
            Show all {inviters.length}
          </Button>
        </div>
      )}
    </div>
  )
}

/** What is shown of each inviter, who was heard of first standing first. */
function byInviter(shown: readonly ShownInvitation[]): ShownInvitation[][] {
  const groups = new Map<string, ShownInvitation[]>()
  for (const one of shown) {
    const { person } = one.inviter
    groups.set(person, [...(groups.get(person) ?? []), one])
  }
  return [...groups.values()]
}

/** One person, and whom they invited. */
function Inviter({ theirs }: { theirs: readonly ShownInvitation[] }): ReactNode {
  const inviter = theirs[0]?.inviter
  if (inviter === undefined) return null
  return (
    <li>
      <Whose {...inviter} />
      <span className="muted">invited</span>
      <ul>
        {theirs.map(({ invited }) => (
          <li key={invited.person}>
            <Whose {...invited} />
          </li>
        ))}
      </ul>
    </li>
  )
}

function Whose({ name, person }: ShownInvitation['inviter']): ReactNode {
  return (
    <span className="who-invited-one">
      <strong>{name}</strong>
      <Fingerprint value={person} what="person key" />
    </span>
  )
}
