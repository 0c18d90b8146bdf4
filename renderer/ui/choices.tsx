import { useId } from 'react'
import type { ReactNode } from 'react'
import './choices.css'

export interface Option<T> {
  value: T
  label: string
  /** What it means, where its name does not say it. */
  description?: string
}

interface ChoicesProps<T> {
  /** Id of what names them all. */
  labelledBy: string
  options: readonly Option<T>[]
  value: T
  onChange: (value: T) => void
}

/** One of a few, all of them in sight. */
export function Choices<T extends string | number>({
  labelledBy,
  options,
  value,
  onChange,
}: ChoicesProps<T>): ReactNode {
  const name = useId()
  const isDescribed = options.some(({ description }) => description !== undefined)
  return (
    <div
      className={isDescribed ? 'choice-list choice-list-described' : 'choice-list'}
      role="radiogroup"
      aria-labelledby={labelledBy}
    >
      {options.map((option) => (
        <label key={option.value} className="choice">
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.description === undefined ? (
            option.label
          ) : (
            <span>
              <span className="choice-name">{option.label}</span>
              <span className="choice-text">{option.description}</span>
            </span>
          )}
        </label>
      ))}
    </div>
  )
}
