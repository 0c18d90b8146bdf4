import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import { KeyPicture } from './key-picture.tsx'
import './fingerprint.css'

/** How long the sign that something was copied stays. */
const COPIED_MS = 1600

/** The short form of a key, by which people tell keys apart. */
export function shortKey(key: string): string {
  return key.length > 12 ? `${key.slice(0, 6)}…${key.slice(-4)}` : key
}

/** Copies `text`; `copied` is true for a moment afterwards, `failed` if it could not be. */
export function useCopy(text: string): {
  copy: () => void
  copied: boolean
  failed: boolean
} {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  useEffect(() => {
    if (state === 'idle') return
    const timer = setTimeout(() => setState('idle'), COPIED_MS)
    return () => clearTimeout(timer)
  }, [state])
  return {
    copied: state === 'copied',
    failed: state === 'failed',
    copy: () =>
      void navigator.clipboard.writeText(text).then(
        () => setState('copied'),
        () => setState('failed'),
      ),
  }
}

interface FingerprintProps {
  /** The whole key or hash, which a click copies. */
  value: string
  /** What it is: `machine key`, `cloud key`, `commit`. */
  what: string
  /** The short form, where it is not the usual one. */
  short?: string
  picture?: boolean
}

/** A key as people can take it in: a picture and a few letters. A click copies all of it. */
export function Fingerprint({ value, what, short, picture = true }: FingerprintProps): ReactNode {
  const { copy, copied, failed } = useCopy(value)
  const shown = short ?? shortKey(value)
  return (
    <button
      type="button"
      className="fingerprint"
      title={`${value}\nClick to copy`}
      aria-label={`Copy ${what} ${shown}`}
      onClick={copy}
    >
      {picture && <KeyPicture text={value} />}
      <span className="mono">{shown}</span>
      {copied ? <Check className="fingerprint-done" /> : <Copy />}
      <span role="status" className="visually-hidden">
        {copied ? 'Copied' : failed ? 'It could not be copied' : ''}
      </span>
    </button>
  )
}
