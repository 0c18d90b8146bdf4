// The engine that interpreters live in: QuickJS in WebAssembly, with a memory of its own that has a limit.

export interface Engine {
  module: import('quickjs-emscripten').QuickJSWASMModule
  memory: WebAssembly.Memory
  /** Did it ask for memory in vain? Rules may hide that from us, and differ by machine. */
  starved: boolean
  /** Is it to be replaced? Its memory never shrinks. */
  spent: boolean
  /** It has given up: nothing more can be done with it, and nothing needs to be tidied up in it. */
  dead: boolean
}

/** A part of the worker's text; it uses nothing from outside itself. */
export function rulesEngine(quickjs: typeof import('quickjs-emscripten')) {
  const PAGE_BYTES = 65_536
  /** What the engine's module asks for at its start. */
  const FIRST_PAGES = 256
  /** An engine that has grown so far is replaced. */
  const SPENT_BYTES = 32 * 1024 * 1024

  // The engine's own limit counts how many pieces of memory there are, not how large they are.
  const newEngine = async (memoryBytes: number): Promise<Engine> => {
    const memory = new WebAssembly.Memory({
      initial: FIRST_PAGES,
      maximum: memoryBytes / PAGE_BYTES,
    })
    const variant = quickjs.newVariant(quickjs.RELEASE_SYNC, { wasmMemory: memory })
    const module = await quickjs.newQuickJSWASMModuleFromVariant(variant)
    const engine = { module, memory, starved: false, spent: false, dead: false }
    const grow = memory.grow.bind(memory)
    memory.grow = (pages) => {
      try {
        return grow(pages)
      } catch (error) {
        engine.starved = true
        engine.spent = true
        throw error
      }
    }
    return engine
  }

  /** Can the next piece of work be done with it? */
  const isFit = ({ dead, spent, memory }: Engine): boolean =>
    !dead && !spent && memory.buffer.byteLength <= SPENT_BYTES

  return { newEngine, isFit }
}
