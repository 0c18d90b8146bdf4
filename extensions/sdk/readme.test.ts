import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')

test.each(['dharma.json', 'ui/index.html', 'ui/app.ts'])(
  'the README shows %s of the notes system as it is',
  async (file) => {
    const [readme, source] = await Promise.all([read('README.md'), read(`../notes/${file}`)])
    expect(readme).toContain(`\n${source}\`\`\``)
  },
)
