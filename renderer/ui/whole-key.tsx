import type { ReactNode } from 'react'
import { KeyPicture } from './key-picture.tsx'
import './whole-key.css'

/** People compare four letters at a time. */
const GROUP = 4

/** A key to be compared letter by letter: its picture, and all of it in groups. Copied, it has no spaces. */
export function WholeKey({ value, what }: { value: string; what: string }): ReactNode {
  const groups = value.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []
  return (
    <div className="whole-key">
      <KeyPicture text={value} size={44} />
      <code aria-label={what}>
        {groups.map((group, index) => (
          // The same group may come twice.
          <span key={`${index} ${group}`}>{group}</span>
        ))}
      </code>
    </div>
  )
}
