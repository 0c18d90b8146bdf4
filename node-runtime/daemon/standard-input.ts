// Secrets come by standard input: arguments are seen by other programs, and kept by shells.
/** The argument that stands for it. */
export const STDIN = '-'

/** What comes by it, up to a little more than so many characters. */
export async function readStdin(maxChars: number): Promise<string> {
  let text = ''
  for await (const part of process.stdin) {
    text += String(part)
    if (text.length > maxChars) break
  }
  return text
}
