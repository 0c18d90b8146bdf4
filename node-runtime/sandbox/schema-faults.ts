// Can a collection's JSON Schema be used, and can people who wrote it by hand trust that it means what
// they wrote? Found out when a system is looked at. It runs in a worker, from its text.

export interface SchemaFaults {
  /** What is wrong with the schema, each with its place and in words; empty if it can be used. */
  findSchemaFaults(schemaJson: string): string[]
}

/** A part of the worker's text; it uses nothing from outside itself. */
export function schemaFaults(
  re2: typeof import('re2js'),
  formatNames: readonly string[],
): SchemaFaults {
  /** Deeper than anybody's data, and far from the end of the stack. */
  const MAX_DEPTH = 32
  /** All brackets of the text, those of `enum`, `const` and `default` too. */
  const MAX_NESTING = 128
  const MAX_NODES = 2_000
  /** What one place of a value may be checked against, references and alternatives included. */
  const MAX_EXPANDED = 20_000
  const MAX_FAULTS = 20
  const MAX_PATTERN_CHARS = 1_000
  /** In instructions of the linear engine: the cost of a pattern for each character of a text. */
  const MAX_PATTERN_SIZE = 2_000

  type Schema = Record<string, unknown>
  /** Where schemas are inside a schema: under names, in a list, alone. */
  const MAPS = ['$defs', 'definitions', 'properties', 'patternProperties', 'dependentSchemas']
  const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems']
  const ALONE = [
    'not',
    'if',
    'then',
    'else',
    'additionalProperties',
    'unevaluatedProperties',
    'propertyNames',
    'items',
    'unevaluatedItems',
    'contains',
  ]
  /** Those that look at the same place of the value as the schema that they are in. */
  const IN_PLACE = new Set([
    'dependentSchemas',
    'allOf',
    'anyOf',
    'oneOf',
    'not',
    'if',
    'then',
    'else',
  ])
  const COUNTS = ['minProperties', 'maxProperties', 'minContains', 'maxContains', 'minItems']
  COUNTS.push('maxItems', 'minLength', 'maxLength')
  const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']
  const ANYTHING = ['const', 'default', 'examples']
  const FLAGS = ['uniqueItems', 'deprecated', 'readOnly', 'writeOnly']
  const TEXTS = ['$ref', '$id', '$anchor', '$schema', '$comment', 'title', 'description', 'pattern']
  TEXTS.push('format', 'contentMediaType', 'contentEncoding')
  const OTHERS = ['type', 'enum', 'required', 'dependentRequired']
  const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer']
  const KNOWN = [MAPS, LISTS, ALONE, COUNTS, NUMBERS, ANYTHING, FLAGS, TEXTS, OTHERS].flat()
  /** Of other drafts or for other purposes; what does their work here. */
  const ELSEWHERE: Record<string, string> = {
    additionalItems: 'use "items" beside "prefixItems"',
    dependencies: 'use "dependentRequired" or "dependentSchemas"',
    id: 'use "$id"',
    $recursiveRef: 'use "$ref"',
    $recursiveAnchor: 'use "$ref"',
    $dynamicRef: 'use "$ref"',
    $dynamicAnchor: 'use "$anchor"',
    nullable: 'add "null" to "type"',
    optional: 'name what is not optional in "required"',
  }

  const isObject = (value: unknown): value is Schema =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const isTexts = (value: unknown): boolean =>
    Array.isArray(value) && value.every((item) => typeof item === 'string')
  const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0
  const pointer = (parts: readonly string[]): string =>
    ['#', ...parts.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))].join('/')
  const quote = (text: string): string => JSON.stringify(text.slice(0, 60))

  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, index) => index)
    for (let i = 1; i <= a.length; i++) {
      const next = [i]
      for (let j = 1; j <= b.length; j++) {
        const same = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
        next.push(Math.min(same, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
      }
      row = next
    }
    return row[b.length] ?? 0
  }
  const suggestion = (word: string, words: readonly string[]): string => {
    if (word.length > 40) return ''
    const near = words
      .map((known) => ({ known, far: distance(word.toLowerCase(), known.toLowerCase()) }))
      .sort((a, b) => a.far - b.far)[0]
    return near !== undefined && near.far <= 2 ? `; did you mean "${near.known}"?` : ''
  }

  const patternFault = (pattern: string): string | null => {
    if (pattern.length > MAX_PATTERN_CHARS) {
      return `is a pattern of more than ${MAX_PATTERN_CHARS} characters`
    }
    try {
      RegExp(pattern, 'u')
    } catch {
      return `${quote(pattern)} is not a regular expression`
    }
    try {
      const compiled = re2.RE2JS.compile(re2.RE2JS.translateRegExp(pattern))
      if (compiled.programSize() <= MAX_PATTERN_SIZE) return null
      return `${quote(pattern)} is too large a pattern; repeat less in it`
    } catch {
      return (
        `${quote(pattern)} is a pattern that can't be matched in linear time; ` +
        'look-around, back references and counts above 1000 are not possible'
      )
    }
  }
  const typeFault = (value: unknown): string | null => {
    const types = Array.isArray(value) ? (value as unknown[]) : [value]
    if (types.length === 0) return 'is empty'
    for (const type of types) {
      if (typeof type !== 'string') return 'is neither the name of a type nor a list of them'
      if (!TYPES.includes(type)) {
        const hint = suggestion(type, TYPES) || `; the types are ${TYPES.join(', ')}`
        return `${quote(type)} is not a type${hint}`
      }
    }
    return null
  }
  /** What is wrong with a keyword's value; schemas inside it are looked at on their own. */
  const valueFault = (name: string, value: unknown): string | null => {
    if (name === 'type') return typeFault(value)
    if (MAPS.includes(name)) {
      if (!isObject(value)) return 'is not an object of schemas'
      if (name !== 'patternProperties') return null
      return (
        Object.keys(value)
          .map(patternFault)
          .find((fault) => fault !== null) ?? null
      )
    }
    if (LISTS.includes(name)) {
      return Array.isArray(value) && value.length > 0 ? null : 'is not a list of schemas'
    }
    if (name === 'items' && Array.isArray(value)) {
      return 'is a list; use "prefixItems" for items one by one'
    }
    if (COUNTS.includes(name)) return isCount(value) ? null : 'is not a whole number from 0'
    if (name === 'multipleOf') {
      return typeof value === 'number' && value > 0 ? null : 'is not a number above 0'
    }
    if (NUMBERS.includes(name)) return typeof value === 'number' ? null : 'is not a number'
    if (FLAGS.includes(name)) return typeof value === 'boolean' ? null : 'is neither true nor false'
    if (name === 'enum') return Array.isArray(value) ? null : 'is not a list'
    if (name === 'required') return isTexts(value) ? null : 'is not a list of names'
    if (name === 'dependentRequired') {
      const fits = isObject(value) && Object.values(value).every(isTexts)
      return fits ? null : 'is not an object of lists of names'
    }
    if (!TEXTS.includes(name)) return null
    if (typeof value !== 'string') return 'is not a text'
    if (name === 'pattern') return patternFault(value)
    if (name !== 'format' || formatNames.includes(value)) return null
    const hint = suggestion(value, formatNames) || `; those are ${formatNames.join(', ')}`
    return `${quote(value)} is not a format that is checked here${hint}`
  }
  const keywordFault = (name: string, value: unknown): string | null => {
    if (KNOWN.includes(name)) return valueFault(name, value)
    if (name.startsWith('x-')) return null
    if (Object.hasOwn(ELSEWHERE, name)) return `is not known here; ${ELSEWHERE[name]}`
    return `is not a keyword of JSON Schema${suggestion(name, KNOWN)}`
  }

  interface Node {
    schema: Schema
    parts: string[]
    inPlace: Node[]
    ref: string | null
  }
  const walk = (root: unknown): { nodes: Map<string, Node>; faults: string[]; anchors: number } => {
    const nodes = new Map<string, Node>()
    const anchors = new Set<string>()
    const faults: string[] = []
    const waiting: { schema: unknown; parts: string[]; parent: Node | null; depth: number }[] = [
      { schema: root, parts: [], parent: null, depth: 0 },
    ]
    const id = isObject(root) && typeof root['$id'] === 'string' ? root['$id'] : null
    for (const { schema, parts, parent, depth } of waiting) {
      const place = pointer(parts)
      const say = (fault: string): number => faults.push(fault)
      if (faults.length >= MAX_FAULTS) break
      if (depth > MAX_DEPTH) {
        say(`${place} is nested deeper than ${MAX_DEPTH} schemas`)
        break
      }
      if (nodes.size >= MAX_NODES) {
        say(`# consists of more than ${MAX_NODES} schemas`)
        break
      }
      const node: Node = { schema: isObject(schema) ? schema : {}, parts, inPlace: [], ref: null }
      nodes.set(place, node)
      parent?.inPlace.push(node)
      if (typeof schema === 'boolean') continue
      if (!isObject(schema)) {
        say(`${place} is not a schema (an object, true or false)`)
        continue
      }
      for (const [name, value] of Object.entries(schema)) {
        const fault = keywordFault(name, value)
        if (fault !== null) say(`${pointer([...parts, name])} ${fault}`)
        if (fault !== null && KNOWN.includes(name)) continue
        const inner: [string[], unknown][] = []
        if (MAPS.includes(name) || LISTS.includes(name)) {
          for (const [key, part] of Object.entries(value as object)) inner.push([[name, key], part])
        } else if (ALONE.includes(name)) inner.push([[name], value])
        for (const [steps, part] of inner) {
          waiting.push({
            schema: part,
            parts: [...parts, ...steps],
            parent: IN_PLACE.has(name) ? node : null,
            depth: depth + 1,
          })
        }
      }
      if (typeof schema['$ref'] === 'string') node.ref = schema['$ref']
      const anchor = schema['$anchor']
      if (typeof anchor === 'string') {
        if (anchors.has(anchor)) say(`${place}/$anchor ${quote(anchor)} is there twice`)
        anchors.add(anchor)
        nodes.set(`#${anchor}`, node)
      }
      if (parent !== null || depth > 0) {
        if ('$id' in schema) say(`${place}/$id can only be at the top; use "$defs" and "#/$defs/…"`)
      }
    }
    for (const node of new Set(nodes.values())) {
      if (node.ref === null) continue
      let ref = id !== null && node.ref.startsWith(id) ? node.ref.slice(id.length) || '#' : node.ref
      try {
        ref = decodeURIComponent(ref)
      } catch {
        // Then it is looked for as it stands, and not found.
      }
      const target = nodes.get(ref)
      if (target !== undefined) node.inPlace.push(target)
      else if (faults.length < MAX_FAULTS) {
        const place = pointer([...node.parts, '$ref'])
        faults.push(`${place} ${quote(node.ref)} points at nothing inside the schema`)
      }
    }
    return { nodes, faults, anchors: anchors.size }
  }

  /** References that come back to themselves at one place of a value, or double and double again. */
  const expansionFaults = (nodes: ReadonlyMap<string, Node>): string[] => {
    const sizes = new Map<Node, number | 'open'>()
    const faults = new Set<string>()
    const sizeOf = (node: Node, depth: number): number => {
      const known = sizes.get(node)
      if (known === 'open' || depth > MAX_NODES) {
        faults.add(`${pointer(node.parts)} refers to itself without end`)
        return 1
      }
      if (known !== undefined) return known
      sizes.set(node, 'open')
      const size = node.inPlace.reduce((sum, part) => sum + sizeOf(part, depth + 1), 1)
      sizes.set(node, size)
      return size
    }
    for (const node of new Set(nodes.values())) {
      if (sizeOf(node, 0) > MAX_EXPANDED && faults.size === 0) {
        faults.add(
          `${pointer(node.parts)} grows to more than ${MAX_EXPANDED} schemas when its references are followed`,
        )
      }
    }
    return [...faults].slice(0, MAX_FAULTS)
  }

  const isTooDeep = (json: string): boolean => {
    let depth = 0
    let inText = false
    for (let i = 0; i < json.length; i++) {
      const char = json[i]
      if (inText) {
        if (char === '\\') i++
        else if (char === '"') inText = false
      } else if (char === '"') inText = true
      else if (char === '[' || char === '{') depth++
      else if (char === ']' || char === '}') depth--
      if (depth > MAX_NESTING) return true
    }
    return false
  }

  return {
    findSchemaFaults(schemaJson) {
      if (isTooDeep(schemaJson)) return ['# is nested too deeply']
      const { nodes, faults, anchors } = walk(JSON.parse(schemaJson))
      // One in an `enum` or a `const` could be taken for one of the schema's.
      const named = schemaJson.split('"$anchor":').length - 1
      if (anchors > 0 && named > anchors) faults.push('# has an $anchor that is not in a schema')
      return faults.length > 0 ? faults : expansionFaults(nodes)
    },
  }
}
