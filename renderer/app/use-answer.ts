import { useEffect, useRef, useState } from 'react'
import type { CloudError } from '../../node-runtime/contract/errors.ts'
import type { Client } from '../../node-runtime/rpc/client.ts'
import { toCloudError } from '../client/cloud-error.ts'
import { useClient } from './shell.tsx'

export interface Answer<T> {
  /** The last one; null until the first. */
  answer: T | null
  /** Why there is none newer. */
  error: CloudError | null
  /** Asks again. */
  again: () => void
}

/** What the runtime answers now, and again whenever `version` or the connection is another. */
export function useAnswer<T>(ask: (client: Client) => Promise<T>, version: string): Answer<T> {
  const client = useClient()
  const [state, setState] = useState<Omit<Answer<T>, 'again'>>({ answer: null, error: null })
  const [turn, setTurn] = useState(0)
  const latest = useRef(ask)
  useEffect(() => {
    latest.current = ask
  })
  useEffect(() => {
    let isOver = false
    latest.current(client).then(
      (answer) => {
        if (!isOver) setState({ answer, error: null })
      },
      (failure: unknown) => {
        if (!isOver) setState(({ answer }) => ({ answer, error: toCloudError(failure) }))
      },
    )
    return () => {
      isOver = true
    }
  }, [client, version, turn])
  return { ...state, again: () => setTurn((before) => before + 1) }
}
