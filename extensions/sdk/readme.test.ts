import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { writeRuleSchema } from '../../node-runtime/contract/db.ts'
import {
  collectionDeclarationSchema,
  manifestSchema,
  RESERVED_SYSTEM_IDS,
  sessionKindSchema,
} from '../../node-runtime/contract/manifest.ts'
import { PERMISSIONS } from '../../node-runtime/contract/permissions.ts'
import { resultValueSchema } from '../../node-runtime/contract/sessions.ts'
import { systemContract } from './system-contract.ts'

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')

test.each(['dharma.json', 'ui/index.html', 'ui/app.ts'])(
  'the README shows %s of the notes system as it is',
  async (file) => {
    const [readme, source] = await Promise.all([read('README.md'), read(`../notes/${file}`)])
    expect(readme).toContain(`\n${source}\`\`\``)
  },
)

const CALLS = Object.entries(systemContract).flatMap(([service, calls]) =>
  Object.keys(calls).map((name) => [service, name] as const),
)

test.each(CALLS)('the README has a line of %s.%s', async (service, name) => {
  const receivers = service === 'db' ? '(notes|cloud\\.db)' : `cloud\\.${service}`
  expect(await read('README.md')).toMatch(new RegExp(`\\b${receivers}\\.${name}\\(`))
})

test.each(CALLS)('the SDK says what %s.%s promises', async (_, name) => {
  const [calls, collection] = await Promise.all([read('cloud.ts'), read('collection.ts')])
  expect(calls + collection).toMatch(new RegExp(`\\*/\\n +${name}\\(`))
})

/** The section of the README under a heading. */
async function sectionOf(heading: string): Promise<string> {
  const [, section = ''] = (await read('README.md')).split(`\n## ${heading}\n`)
  return section.split('\n## ')[0] ?? ''
}

interface Row {
  field: string
  required: boolean
  words: string
}

/** The tables of a section, one after the other. */
function tablesOf(section: string): Row[][] {
  const tables: Row[][] = []
  for (const line of section.split('\n')) {
    const [, field = '', required = '', words = ''] = line.split('|').map((cell) => cell.trim())
    if (field === 'field') tables.push([])
    else if (/^`\w+`$/.test(field)) {
      tables.at(-1)?.push({ field: field.slice(1, -1), required: required === 'required', words })
    }
  }
  return tables
}

test('the README names every field of the manifest, which are required, and no others', async () => {
  const schemas = [manifestSchema, collectionDeclarationSchema, sessionKindSchema]
  const tables = tablesOf(await sectionOf('The manifest'))
  expect(tables).toHaveLength(schemas.length)
  for (const [index, schema] of schemas.entries()) {
    const fields = Object.entries(schema.shape).map(([field, value]): [string, boolean] => [
      field,
      !value.safeParse(undefined).success,
    ])
    const written = (tables[index] ?? []).map(({ field, required }): [string, boolean] => [
      field,
      required,
    ])
    expect(written.sort()).toEqual(fields.sort())
  }
})

test('the README has the values and limits that the manifest may have', async () => {
  const section = await sectionOf('The manifest')
  const wordsOf = (name: string): string =>
    tablesOf(section)
      .flat()
      .find(({ field }) => field === name)?.words ?? ''
  for (const permission of Object.keys(PERMISSIONS)) {
    expect(wordsOf('permissions')).toContain(`\`${permission}\``)
  }
  for (const rule of writeRuleSchema.options) expect(wordsOf('write')).toContain(`\`${rule}\``)
  const { maxBytes } = collectionDeclarationSchema.shape
  expect(wordsOf('maxBytes')).toContain(String(maxBytes.parse(undefined)))
  expect(wordsOf('maxBytes')).toContain(String(maxBytes.unwrap().maxValue))
  const { seats } = sessionKindSchema.shape
  expect(wordsOf('seats')).toContain(`${seats.minValue} to ${seats.maxValue}`)
  for (const field of Object.keys(resultValueSchema.shape))
    expect(section).toContain(`\`${field}\``)
  const [, id = ''] = /such as `(\w+)` or/.exec(wordsOf('id')) ?? []
  expect(RESERVED_SYSTEM_IDS).toContain(id)
})

test('the manifest that the README shows for a game is one', async () => {
  const [, example = ''] = /```json\n([^`]+)```/.exec(await sectionOf('The manifest')) ?? []
  const notes = JSON.parse(await read('../notes/dharma.json')) as object
  const { sessions } = manifestSchema.parse({ ...notes, ...(JSON.parse(example) as object) })
  expect(sessions).toEqual({
    duel: { title: 'Duel', rules: 'rules/duel.ts', seats: 2, results: 'results' },
  })
})
