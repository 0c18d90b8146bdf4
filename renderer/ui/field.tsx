import { useId } from 'react'
import type { InputHTMLAttributes, ReactNode, TextareaHTMLAttributes } from 'react'
import './field.css'

interface Labelled {
  label: string
  /** What to put in, or what it is for; read out with the field. */
  hint?: string
  /** What is wrong with the present value. */
  error?: string | null
  /** Keeps the label for those who hear the page, where the place says it to those who see it. */
  hideLabel?: boolean
}

type FieldProps = Labelled &
  InputHTMLAttributes<HTMLInputElement> & { action?: ReactNode; mono?: boolean }

/** A line of text with its label, and perhaps the button that uses it. */
export function Field({
  label,
  hint,
  error = null,
  hideLabel = false,
  action,
  mono = false,
  ...rest
}: FieldProps): ReactNode {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? 'visually-hidden' : ''}>
        {label}
      </label>
      <div className="field-line">
        <input
          spellCheck={false}
          autoComplete="off"
          {...rest}
          id={id}
          className={mono ? 'input mono' : 'input'}
          aria-invalid={error !== null || undefined}
          aria-describedby={`${id}-hint`}
        />
        {action}
      </div>
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  )
}

type TextFieldProps = Labelled & TextareaHTMLAttributes<HTMLTextAreaElement> & { mono?: boolean }

/** Several lines of text with their label. */
export function TextField({
  label,
  hint,
  error = null,
  hideLabel = false,
  mono = false,
  ...rest
}: TextFieldProps): ReactNode {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? 'visually-hidden' : ''}>
        {label}
      </label>
      <textarea
        spellCheck={false}
        autoComplete="off"
        {...rest}
        id={id}
        className={mono ? 'input mono' : 'input'}
        aria-invalid={error !== null || undefined}
        aria-describedby={`${id}-hint`}
      />
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  )
}

function FieldNotes({
  id,
  hint,
  error,
}: {
  id: string
  hint: string | undefined
  error: string | null
}): ReactNode {
  return (
    <div id={`${id}-hint`} className="field-notes">
      {error !== null && <p className="field-error">{error}</p>}
      {hint !== undefined && <p>{hint}</p>}
    </div>
  )
}

interface SwitchProps {
  label: string
  description?: string
  checked: boolean
  disabled?: boolean
  look?: 'switch' | 'checkbox'
  onChange: (checked: boolean) => void
}

/** Something to turn on and off: a switch works at once, a check box with the form around it. */
export function Toggle({
  label,
  description,
  checked,
  disabled = false,
  look = 'switch',
  onChange,
}: SwitchProps): ReactNode {
  const id = useId()
  return (
    <div className={`toggle toggle-${look}`}>
      <input
        id={id}
        type="checkbox"
        role={look === 'switch' ? 'switch' : undefined}
        checked={checked}
        disabled={disabled}
        aria-describedby={description === undefined ? undefined : `${id}-text`}
        onChange={(event) => onChange(event.target.checked)}
      />
      <div>
        <label htmlFor={id}>{label}</label>
        {description !== undefined && (
          <p id={`${id}-text`} className="muted">
            {description}
          </p>
        )}
      </div>
    </div>
  )
}
