import { useEffect, useState } from 'react'
import { followConnectionReport } from '../stores/connection-report.ts'
import type { ConnectionReportState } from '../stores/connection-report.ts'
import { useShell } from './shell.tsx'

/** How this machine looks for the others, followed as long as something shows it. */
export function useConnectionReport(): ConnectionReportState {
  const { host } = useShell()
  const [state, setState] = useState<ConnectionReportState>({ report: null, error: null })
  useEffect(() => {
    const { store, stop } = followConnectionReport(host.connection)
    const unsubscribe = store.subscribe(setState)
    return () => {
      unsubscribe()
      stop()
    }
  }, [host.connection])
  return state
}
