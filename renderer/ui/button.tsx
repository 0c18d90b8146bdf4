import type { ButtonHTMLAttributes, ReactNode } from 'react'
import { Spinner } from './progress.tsx'
import './button.css'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: 'primary' | 'plain' | 'quiet' | 'danger'
  size?: 'small' | 'normal'
  /** Shows that the work goes on, and takes no second click. */
  pending?: boolean
}

export function Button({
  look = 'plain',
  size = 'normal',
  pending = false,
  disabled = false,
  className = '',
  children,
  type = 'button',
  ...rest
}: ButtonProps): ReactNode {
  return (
    <button
      {...rest}
      type={type}
      disabled={disabled || pending}
      aria-busy={pending || undefined}
      className={`button button-${look} button-${size} ${className}`}
    >
      {pending && <Spinner />}
      {children}
    </button>
  )
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does: its accessible name and its tooltip. */
  label: string
  /** Keys, for the tooltip only. */
  keys?: string
}

export function IconButton({
  label,
  keys,
  className = '',
  children,
  ...rest
}: IconButtonProps): ReactNode {
  return (
    <button
      {...rest}
      type="button"
      aria-label={label}
      title={keys === undefined ? label : `${label} (${keys})`}
      className={`icon-button ${className}`}
    >
      {children}
    </button>
  )
}
