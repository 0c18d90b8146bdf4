import type { ReactNode } from 'react'
import { useClient } from '../../app/shell.tsx'
import { useConnectionReport } from '../../app/use-connection-report.ts'
import { useCall } from '../../ui/call.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Toggle } from '../../ui/field.tsx'
import { Loading } from '../../ui/progress.tsx'

/** Whether the router is asked for a port, and what came of it. */
export function PortMapping(): ReactNode {
  const client = useClient()
  const { report, error } = useConnectionReport()
  const set = useCall((on: boolean) => client.cloud.setPortMapping({ on }))
  const failure = set.error ?? error
  return (
    <>
      {report === null && error === null && <Loading>Asking this machine</Loading>}
      {report !== null && (
        <>
          <Toggle
            label="Ask the router for a port"
            description="Others then reach this machine by themselves, and it can help those that are not reached. What comes in is for Dharma alone; the port is given back when Dharma ends."
            checked={report.ports.on}
            disabled={set.pending}
            onChange={(on) => void set.run(on)}
          />
          <p className="muted" role="status">
            {report.ports.message}
          </p>
        </>
      )}
      {failure !== null && <ErrorNotice error={failure} />}
    </>
  )
}
