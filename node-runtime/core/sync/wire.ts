// Bytes of messages, written and read. Reading never throws: what is wrong shows in `failed`, and
// everything read after that is empty.

/** Numbers are exact up to here; a longer one is refused. */
const MOST_VARINT = Number.MAX_SAFE_INTEGER

export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(sizeBytes = 256) {
    this.#bytes = new Uint8Array(sizeBytes)
  }

  byte(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** A whole number from 0 to 2^53 - 1: seven bits a byte, the lowest first. */
  varint(value: number): this {
    let rest = value
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    return this.byte(rest)
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** Bytes with their length before them. */
  block(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

const NOTHING = new Uint8Array(0)

export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0
  #failed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Something that was read was not there, or not what it should be. */
  get failed(): boolean {
    return this.#failed
  }

  /** Nothing failed, and everything was read. */
  get complete(): boolean {
    return !this.#failed && this.left === 0
  }

  /** How many bytes are still to be read. */
  get left(): number {
    return this.#failed ? 0 : this.#bytes.length - this.#at
  }

  fail(): void {
    this.#failed = true
  }

  byte(): number {
    if (this.left < 1) {
      this.fail()
      return 0
    }
    return this.#bytes[this.#at++]!
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (this.#failed || value > MOST_VARINT) break
      if (byte < 0x80) {
        // One number has one form.
        if (byte === 0 && scale > 1) break
        return value
      }
      scale *= 0x80
      if (scale > MOST_VARINT) break
    }
    this.fail()
    return 0
  }

  /** A view of the next bytes, not a copy. */
  raw(count: number): Uint8Array {
    if (count > this.left) {
      this.fail()
      return NOTHING
    }
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  block(mostBytes: number): Uint8Array {
    const count = this.varint()
    if (count > mostBytes) {
      this.fail()
      return NOTHING
    }
    return this.raw(count)
  }
}
