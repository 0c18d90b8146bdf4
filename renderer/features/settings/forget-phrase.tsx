import { useState } from 'react'
import type { ReactNode } from 'react'
import { useClient, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { isPhraseFault, PhraseField } from '../../ui/phrase-field.tsx'

/** Deletes the phrase from this machine, once the person has shown that they have it. */
export function ForgetPhrase(): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const [phrase, setPhrase] = useState('')
  const forget = useCall(() => client.identity.forgetPhrase({ phrase }))
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void forget.run().then((done) => {
          if (done) notices.say('The recovery phrase is not on this machine any more.')
        })
      }}
    >
      <PhraseField
        label="I have written it down"
        hint="Put the words in as you have written them. Then they are deleted from this machine: whoever gets it can’t be you for good, and you need the paper to attest or revoke a machine."
        value={phrase}
        error={forget.error}
        onChange={(text) => {
          setPhrase(text)
          forget.clear()
        }}
      />
      {forget.error !== null && !isPhraseFault(forget.error) && (
        <ErrorNotice error={forget.error} />
      )}
      <div>
        <Button type="submit" pending={forget.pending} disabled={phrase.trim() === ''}>
          Delete it from this machine
        </Button>
      </div>
    </form>
  )
}
