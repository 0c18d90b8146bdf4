import type { ReactNode } from 'react'
import './empty-state.css'

interface EmptyStateProps {
  icon: ReactNode
  title: string
  /** What to do next. */
  children: ReactNode
  action?: ReactNode
}

/** What stands where a list would, while there is nothing in it. */
export function EmptyState({ icon, title, children, action }: EmptyStateProps): ReactNode {
  return (
    <div className="empty-state">
      <span className="empty-state-icon" aria-hidden="true">
        {icon}
      </span>
      <div>
        <h3>{title}</h3>
        <p>{children}</p>
      </div>
      {action}
    </div>
  )
}
