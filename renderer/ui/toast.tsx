import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { IconButton } from './button.tsx'
import './toast.css'

export interface ToastItem {
  id: number
  tone: 'info' | 'error'
  text: string
}

/** Short messages, read out when they come. Always in the page, so that readers know the region. */
export function Toasts({
  items,
  onDismiss,
}: {
  items: readonly ToastItem[]
  onDismiss: (id: number) => void
}): ReactNode {
  return (
    <div className="toasts" role="status" aria-live="polite">
      {items.map(({ id, tone, text }) => (
        <div key={id} className={`toast toast-${tone}`}>
          <p>{text}</p>
          <IconButton label="Dismiss" onClick={() => onDismiss(id)}>
            <X />
          </IconButton>
        </div>
      ))}
    </div>
  )
}
