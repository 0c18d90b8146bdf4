import { useState } from 'react'
import type { ReactNode } from 'react'
import * as z from 'zod'
import type { CloudError } from '../../../node-runtime/contract/errors.ts'
import { keySchema } from '../../../node-runtime/contract/values.ts'
import { useClient } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Toggle } from '../../ui/field.tsx'
import { WholeKey } from '../../ui/whole-key.tsx'

const detailsSchema = z.object({
  publisher: keySchema,
  knownSuccessor: keySchema,
  otherSuccessor: keySchema,
})

interface ForkedKeysProps {
  /** A preview that was refused. */
  error: CloudError
  /** The machine has forgotten what it knew of the publisher: look again. */
  onForgotten: () => void
}

/** Where two keys claim to be the publisher's: shows both, and lets the person believe the other one. */
export function ForkedKeys({ error, onForgotten }: ForkedKeysProps): ReactNode {
  const client = useClient()
  const [asked, setAsked] = useState(false)
  const forget = useCall((publisher: string) => client.systems.forgetPublisher({ publisher }))
  const details = detailsSchema.safeParse(error.details).data
  if (error.code !== 'SYSTEM_KEYS_FORKED' || details === undefined) return null
  return (
    <div className="install-note install-choice" role="note">
      <p>The key that is believed here, from what is or was installed:</p>
      <WholeKey value={details.knownSuccessor} what="Key that is believed here" />
      <p>The key in this repository:</p>
      <WholeKey value={details.otherSuccessor} what="Key in this repository" />
      <Toggle
        look="checkbox"
        label="I have asked the publisher: the key in this repository is theirs"
        description="What this machine knows of the publisher’s keys is forgotten. What is installed stays until you update or uninstall it."
        checked={asked}
        disabled={forget.pending}
        onChange={setAsked}
      />
      <div>
        <Button
          look="danger"
          disabled={!asked}
          pending={forget.pending}
          onClick={() =>
            void forget.run(details.publisher).then((done) => {
              if (done) onForgotten()
            })
          }
        >
          Forget the other key, and look again
        </Button>
      </div>
      {forget.error !== null && <ErrorNotice error={forget.error} />}
    </div>
  )
}
