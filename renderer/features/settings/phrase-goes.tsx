import type { ReactNode } from 'react'
import { useIdentity } from '../../app/shell.tsx'
import { shortKey } from '../../ui/fingerprint.tsx'
import { Toggle } from '../../ui/field.tsx'

interface PhraseGoesProps {
  checked: boolean
  disabled: boolean
  onChange: (checked: boolean) => void
}

/** Whose phrase is deleted from this machine and what is lost with it; nothing goes until that is ticked. */
export function PhraseGoes({ checked, disabled, onChange }: PhraseGoesProps): ReactNode {
  const identity = useIdentity((state) => state.identity)
  const name = identity === null ? 'the present person' : identity.name
  const key = identity === null ? '' : ` (${shortKey(identity.person)})`
  return (
    <>
      <p className="phrase-warning">
        The recovery phrase of {name}
        {key} is deleted from this machine, and nobody has shown that it is written down. Whoever
        has no copy can never be {name} again: not change what they wrote, and neither attest nor
        revoke their machines.
      </p>
      <Toggle
        look="checkbox"
        label={`The phrase of ${name} may be deleted: I have written it down, or never need it again`}
        checked={checked}
        disabled={disabled}
        onChange={onChange}
      />
    </>
  )
}
