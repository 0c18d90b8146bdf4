// A call on its way, for the button that makes it.
import { useRef, useState } from 'react'
import { toCloudError } from '../client/cloud-error.ts'
import type { CloudError } from '../../node-runtime/contract/errors.ts'

export interface Call<A extends unknown[]> {
  run: (...args: A) => Promise<boolean>
  pending: boolean
  error: CloudError | null
  clear: () => void
}

/** Runs `action`, and keeps whether it is under way and why it failed. `run` tells if it worked. */
export function useCall<A extends unknown[]>(action: (...args: A) => Promise<unknown>): Call<A> {
  const [pending, setPending] = useState(false)
  const [error, setError] = useState<CloudError | null>(null)
  const latest = useRef(0)
  return {
    pending,
    error,
    clear: () => setError(null),
    async run(...args) {
      const turn = ++latest.current
      setPending(true)
      setError(null)
      try {
        await action(...args)
        return true
      } catch (failure) {
        if (turn === latest.current) setError(toCloudError(failure))
        return false
      } finally {
        if (turn === latest.current) setPending(false)
      }
    },
  }
}
