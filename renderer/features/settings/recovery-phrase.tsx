import { useState } from 'react'
import type { ReactNode } from 'react'
import { useClient, useIdentity } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useCopy } from '../../ui/fingerprint.tsx'
import { ForgetPhrase } from './forget-phrase.tsx'

/** The 24 words, hidden until asked for, and forgotten by the page when hidden again. */
export function RecoveryPhrase(): ReactNode {
  const client = useClient()
  const [phrase, setPhrase] = useState<string | null>(null)
  const show = useCall(async () => setPhrase((await client.identity.recoveryPhrase({})).phrase))
  const { copy, copied, failed } = useCopy(phrase ?? '')
  const phraseKept = useIdentity((state) => state.identity?.phraseKept)
  if (phraseKept === false) {
    return (
      <p className="muted">
        Your recovery phrase is not on this machine any more: you have written it down. It is asked
        for when you attest or revoke a machine, or go to a cloud in which this one was not yet.
      </p>
    )
  }
  return (
    <>
      <p className="muted">
        These words are you. With them you are the same person on any machine; without them, a lost
        machine is a lost name. Write them on paper.
      </p>
      {show.error !== null && <ErrorNotice error={show.error} />}
      {phrase === null ? (
        <div>
          <Button pending={show.pending} onClick={() => void show.run()}>
            Show the recovery phrase
          </Button>
        </div>
      ) : (
        <>
          <p className="phrase-warning">
            Whoever has these words can act as you, everywhere. Nobody from Dharma will ever ask for
            them.
          </p>
          <ol className="phrase" aria-label="Recovery phrase">
            {phrase.split(' ').map((word, index) => (
              <li key={`${index}/${word}`}>
                <span aria-hidden="true">{index + 1}</span>
                <code>{word}</code>
              </li>
            ))}
          </ol>
          <div className="row row-wrap">
            <Button onClick={() => setPhrase(null)}>Hide</Button>
            <Button onClick={copy}>{copied ? 'Copied' : 'Copy the words'}</Button>
            <span role="status" className={failed ? '' : 'visually-hidden'}>
              {copied ? 'Copied' : failed ? 'They could not be copied.' : ''}
            </span>
          </div>
          <ForgetPhrase />
        </>
      )}
    </>
  )
}
