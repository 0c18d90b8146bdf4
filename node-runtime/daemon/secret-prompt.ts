// Asks the person at the terminal for a secret, which is not shown as they type it.
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CloudError } from '../contract/errors.ts'

interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean }
  /** Where the question goes; what a program prints for others does not. */
  output: { write: (text: string) => unknown }
}

const OWN: Terminal = { input: process.stdin, output: process.stderr }

/** Is there a person at a terminal to ask? */
export function canAsk({ input }: Terminal = OWN): boolean {
  return input.isTTY === true
}

/**
 * One line, as it was typed or pasted.
 * @throws CloudError CANCELLED if the person wants to put in nothing
 */
export async function askSecret(
  question: string,
  { input, output }: Terminal = OWN,
): Promise<string> {
  // A terminal shows what is typed unless somebody else reads each key: this does, and writes nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reading = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })
  output.write(question)
  try {
    return await new Promise<string>((resolve, reject) => {
      reading.once('line', resolve)
      const cancel = (): void => reject(new CloudError('CANCELLED', 'Nothing was put in.'))
      reading.once('SIGINT', cancel)
      reading.once('close', cancel)
    })
  } finally {
    reading.close()
    output.write('\n')
  }
}
