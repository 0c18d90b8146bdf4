// What is known of a look-up list, in words: how many machines, how fresh, and what failed.
import type { ReactNode } from 'react'
import type { ListReport } from '../../node-runtime/contract/lists.ts'
import { RelativeTime } from '../ui/relative-time.tsx'
import './list-state.css'

export function ListState({ list }: { list: ListReport }): ReactNode {
  const { state, entries, newestMs, readMs, message } = list
  return (
    <div className="list-state">
      <p className="muted" role="status">
        {readMs === null ? (
          FIRST[state]
        ) : (
          <>
            {entries === 1 ? 'One machine' : `${entries} machines`}
            {newestMs !== null && (
              <>
                , the newest signed <RelativeTime timeMs={newestMs} />
              </>
            )}
            . Read <RelativeTime timeMs={readMs} />
            {state === 'reading' ? ', and being read again.' : '.'}
          </>
        )}
      </p>
      {message !== '' && <p className="list-fault">{message}</p>}
    </div>
  )
}

/** Before it was read for the first time. */
const FIRST: Record<ListReport['state'], string> = {
  waiting: 'Not read yet.',
  reading: 'Being read.',
  read: '',
  failed: '',
}
