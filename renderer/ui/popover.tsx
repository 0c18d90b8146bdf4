import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'
import './popover.css'

interface PopoverProps {
  label: string
  onClose: () => void
  children: ReactNode
}

/** A small panel under the button that opened it, which is its neighbour in the page. */
export function Popover({ label, onClose, children }: PopoverProps): ReactNode {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const panel = element.current
    const anchor = panel?.parentElement
    panel?.focus()
    const closeOutside = (event: Event): void => {
      if (event.target instanceof Node && anchor?.contains(event.target) !== true) onClose()
    }
    const closeByKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return
      onClose()
      anchor?.querySelector('button')?.focus()
    }
    document.addEventListener('pointerdown', closeOutside)
    document.addEventListener('focusin', closeOutside)
    document.addEventListener('keydown', closeByKey)
    // A click inside a frame is seen only as the loss of the focus.
    window.addEventListener('blur', onClose)
    return () => {
      document.removeEventListener('pointerdown', closeOutside)
      document.removeEventListener('focusin', closeOutside)
      document.removeEventListener('keydown', closeByKey)
      window.removeEventListener('blur', onClose)
    }
  }, [onClose])
  return (
    <div ref={element} className="popover" role="dialog" aria-label={label} tabIndex={-1}>
      {children}
    </div>
  )
}
