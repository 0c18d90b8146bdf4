import { describe, expect, it } from 'vitest'
import { NetworkDetector } from './network-detector.ts'

describe('another network', () => {
  it('is one with other addresses, in whatever order they come; it is told once', () => {
    const detector = new NetworkDetector(['10.0.0.2', '11.0.0.2'])
    expect(detector.look(['11.0.0.2', '10.0.0.2'])).toBe(false)
    expect(detector.look(['11.0.0.2', '10.0.0.3'])).toBe(true)
    expect(detector.look(['10.0.0.3', '11.0.0.2'])).toBe(false)
    expect(detector.look(['11.0.0.2'])).toBe(true)
  })

  it('is told when there is one, and not when there is none', () => {
    const detector = new NetworkDetector(['10.0.0.2'])
    expect(detector.look([])).toBe(false)
    expect(detector.look([])).toBe(false)
    // The router may have forgotten this computer, even if it gives it the same address.
    expect(detector.look(['10.0.0.2'])).toBe(true)
    expect(detector.look(['10.0.0.2'])).toBe(false)
    expect(new NetworkDetector([]).look(['10.0.0.2'])).toBe(true)
  })
})
