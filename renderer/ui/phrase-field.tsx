import type { ReactNode } from 'react'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import { TextField } from './field.tsx'

/** What is wrong with a phrase is said at its field, other failures where they happened. */
export function isPhraseFault(error: CloudError | null): boolean {
  return error?.code === 'IDENTITY_PHRASE_INVALID' || error?.code === 'IDENTITY_PHRASE_OTHER'
}

interface PhraseFieldProps {
  label?: string
  hint?: string
  value: string
  /** How the call failed that took it. */
  error?: CloudError | null
  onChange: (phrase: string) => void
}

/** Takes the 24 words, for one call. */
export function PhraseField({
  label = 'Your recovery phrase',
  hint = '24 words, in their order, with spaces between them. They are used once, and not kept.',
  value,
  error = null,
  onChange,
}: PhraseFieldProps): ReactNode {
  return (
    <TextField
      label={label}
      hint={hint}
      rows={3}
      maxLength={500}
      value={value}
      error={isPhraseFault(error) ? (error?.message ?? null) : null}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}
