// As much of jsdom as tests of single pages use.
declare module 'jsdom' {
  export class JSDOM {
    readonly window: Window & typeof globalThis
    constructor(html: string, options: { url: string; runScripts?: 'dangerously' })
  }
}
