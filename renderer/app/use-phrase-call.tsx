import { useState } from 'react'
import type { ReactNode } from 'react'
import { toCloudError } from '../client/cloud-error.ts'
import { useCall } from '../ui/call.ts'
import type { Call } from '../ui/call.ts'
import { ErrorNotice } from '../ui/error-notice.tsx'
import { isPhraseFault, PhraseField } from '../ui/phrase-field.tsx'

/**
 * A call that wants the recovery phrase where this machine keeps none any more. `notice` shows why it failed, or
 * asks for the phrase, with which it is then run again. The page forgets that when it has worked.
 */
export function usePhraseCall(
  action: (given: { phrase?: string }) => Promise<unknown>,
): Pick<Call<[]>, 'run' | 'pending' | 'error'> & { notice: ReactNode } {
  const [phrase, setPhrase] = useState('')
  const [wanted, setWanted] = useState(false)
  const words = phrase.trim().toLowerCase().split(/\s+/).join(' ')
  const { run, pending, error, clear } = useCall(async () => {
    try {
      await action(words === '' ? {} : { phrase: words })
      setPhrase('')
    } catch (failure) {
      if (toCloudError(failure).code === 'IDENTITY_PHRASE_NEEDED') setWanted(true)
      throw failure
    }
  })
  const isSaidAtField = wanted && (isPhraseFault(error) || error?.code === 'IDENTITY_PHRASE_NEEDED')
  const notice = (
    <>
      {wanted && (
        <PhraseField
          hint="It is not on this machine any more, and is needed for a cloud in which the machine was not yet. It is used once, and not kept."
          value={phrase}
          error={error}
          onChange={(words) => {
            setPhrase(words)
            clear()
          }}
        />
      )}
      {error !== null && !isSaidAtField && <ErrorNotice error={error} />}
    </>
  )
  return { run, pending, error, notice }
}
