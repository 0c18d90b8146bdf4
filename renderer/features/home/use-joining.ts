import type { ReactNode } from 'react'
import { useClient, useShell } from '../../app/shell.tsx'
import { usePhraseCall } from '../../app/use-phrase-call.tsx'

/**
 * Joins a cloud, by its key or an invitation, and says so. `notice` shows why it failed, or asks for the phrase.
 * @param what.expected  the cloud that an invitation led to when the person looked
 */
export function useJoining(
  what: { cloud: string; expected?: string },
  onJoined: () => void,
): { join: () => void; pending: boolean; notice: ReactNode } {
  const client = useClient()
  const { notices } = useShell()
  const { run, pending, notice } = usePhraseCall((given) =>
    client.cloud.join({ ...what, ...given }),
  )
  return {
    pending,
    notice,
    join: () =>
      void run().then((done) => {
        if (!done) return
        notices.say('This machine now belongs to that cloud, and looks for its machines.')
        onJoined()
      }),
  }
}
