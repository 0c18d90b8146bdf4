import { useState } from 'react'
import type { ReactNode } from 'react'
import { useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'

/** Takes a repository's address and opens the install preview. */
export function RepositoryForm(): ReactNode {
  const { overlays } = useShell()
  const [url, setUrl] = useState('')
  const [error, setError] = useState<string | null>(null)
  return (
    <form
      className="repository-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (url.trim() === '') return setError('Paste the address of a repository first.')
        overlays.setState({ installUrl: url.trim() })
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
            Preview
          </Button>
        }
      />
    </form>
  )
}
