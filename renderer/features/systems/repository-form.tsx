import { useState } from 'react'
import type { ReactNode } from 'react'
import { useShell } from '../../app/shell.tsx'
import { repositoryAddress } from '../../client/address.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'

interface RepositoryFormProps {
  /** An address that did not lead to a system, to be corrected. */
  refused?: string
  /** Looks at that same address again; null where it will never do. */
  onRetry?: (() => void) | null
}

/** Takes a repository's address and opens the install preview. */
export function RepositoryForm({ refused = '', onRetry = null }: RepositoryFormProps): ReactNode {
  const { overlays } = useShell()
  const [url, setUrl] = useState(refused)
  const [error, setError] = useState<string | null>(null)
  const address = repositoryAddress(url)
  const isSame = refused !== '' && address === refused
  return (
    <form
      className="repository-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (address === '') return setError('Paste the address of a repository first.')
        if (!isSame) return overlays.setState({ installUrl: address })
        if (onRetry === null) setError('This is the address that did not do. Change it first.')
        else onRetry()
      }}
    >
      <Field
        label="Repository address"
        placeholder="https://github.com/owner/name"
        hint="A preview shows what it is and what it asks for. Nothing is installed before you say so."
        value={url}
        error={error}
        onChange={(event) => {
          setUrl(event.target.value)
          setError(null)
        }}
        action={
          <Button type="submit" look="primary">
            {isSame && onRetry !== null ? 'Try again' : 'Preview'}
          </Button>
        }
      />
    </form>
  )
}
