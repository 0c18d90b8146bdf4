import type { ReactNode } from 'react'
import './progress.css'

/** A small sign that work goes on; the text beside it says which. */
export function Spinner(): ReactNode {
  return <span className="spinner" aria-hidden="true" />
}

/** A stretch of the page that is waiting for its first data. */
export function Loading({ children }: { children: string }): ReactNode {
  return (
    <p className="loading" role="status">
      <Spinner />
      {children}
    </p>
  )
}
