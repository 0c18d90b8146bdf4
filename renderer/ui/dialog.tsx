import { X } from 'lucide-react'
import { useEffect, useId, useRef } from 'react'
import type { ReactNode } from 'react'
import { IconButton } from './button.tsx'
import './dialog.css'

interface DialogProps {
  title: string
  /** `prompt` drops from the address bar, as what the window itself asks does. */
  placement?: 'center' | 'prompt'
  onClose: () => void
  children: ReactNode
  /** The buttons, the one that goes on last. */
  actions?: ReactNode
}

/** A modal dialog; present means open. Escape and the cross close it. */
export function Dialog({
  title,
  placement = 'center',
  onClose,
  children,
  actions,
}: DialogProps): ReactNode {
  const element = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const dialog = element.current
    const before = document.activeElement
    dialog?.showModal()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      className={`dialog dialog-${placement}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <header className="dialog-head">
        {/* The first focus is the title: nothing is answered by the key that opened the dialog. */}
        <h2 id={titleId} tabIndex={-1} autoFocus>
          {title}
        </h2>
        <IconButton label="Close" onClick={onClose}>
          <X />
        </IconButton>
      </header>
      <div className="dialog-body">{children}</div>
      {actions !== undefined && <footer className="dialog-actions">{actions}</footer>}
    </dialog>
  )
}
