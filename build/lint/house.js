// Lint rules of our own: the floors of the house, and what makes `core/` pure.
import path from 'node:path'
import { EVERYWHERE, roomOf } from './rooms.js'

const fits = (name, pattern) =>
  typeof pattern === 'string' ? name === pattern : pattern.test(name)

function fileOf(context) {
  return path.relative(context.cwd, context.filename).split(path.sep).join('/')
}

/** Why `room` may not import this; null if it may. */
function findFault(room, file, source, typeOnly) {
  if (!source.startsWith('.')) {
    if (source.startsWith('node:')) return room.node ? null : `${room.room} knows no Node`
    const { packages, typePackages = [] } = room
    if (typeOnly && typePackages.some((pattern) => fits(source, pattern))) return null
    const allowed = Array.isArray(packages)
      ? packages.some((pattern) => fits(source, pattern))
      : !packages.not.some((pattern) => fits(source, pattern))
    return allowed ? null : `${room.room} may not use ${source}`
  }
  const target = path.posix.join(path.posix.dirname(file), source)
  if (room.files?.includes(target)) return null
  if (room.not?.includes(target)) return `${room.room} may not import ${target}`
  const other = roomOf(target)
  if (other === undefined) {
    // Configuration at the root (`package.json`) may be read; folders outside of the house may not.
    return target.includes('/') ? `${target} stands in no room` : null
  }
  if (other.room === room.room || room.rooms.includes(other.room)) return null
  if (typeOnly && room.types?.includes(other.room)) return null
  return `${room.room} stands below ${other.room}, or beside it`
}

const floors = {
  create(context) {
    const file = fileOf(context)
    const room = roomOf(file)
    if (room === undefined || EVERYWHERE.some((pattern) => pattern.test(file))) return {}
    const check = (node) => {
      if (typeof node.source?.value !== 'string') return
      const kind = node.importKind ?? node.exportKind
      const inside = node.specifiers ?? []
      const typeOnly =
        kind === 'type' ||
        (inside.length > 0 &&
          inside.every(({ importKind, exportKind }) => (importKind ?? exportKind) === 'type'))
      const fault = findFault(room, file, node.source.value, typeOnly)
      if (fault !== null) context.report({ node, message: `${fault}. See build/lint/rooms.js.` })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    }
  },
}

/** Whoever reads these asks the world; a core is told. */
const WORLD = [
  'Date',
  'performance',
  'process',
  'crypto',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Promise',
  'globalThis',
]
const WORLD_MEMBERS = new Set(['Math.random', 'Atomics.wait'])

const pureCore = {
  create(context) {
    const file = fileOf(context)
    if (!file.startsWith('node-runtime/core/') || EVERYWHERE.some((one) => one.test(file)))
      return {}
    const report = (node, what) =>
      context.report({
        node,
        message: `core/ is synchronous and pure: ${what} is handed in or left out.`,
      })
    const checkFunction = (node) => {
      if (node.async) report(node, 'what is async')
    }
    return {
      FunctionDeclaration: checkFunction,
      FunctionExpression: checkFunction,
      ArrowFunctionExpression: checkFunction,
      AwaitExpression: (node) => report(node, 'waiting'),
      ForOfStatement: (node) => {
        if (node.await) report(node, 'waiting')
      },
      ImportExpression: (node) => report(node, 'loading on demand'),
      Identifier(node) {
        if (!WORLD.includes(node.name)) return
        const { parent } = node
        const isName =
          (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
          (parent.key === node && !parent.computed)
        if (!isName) report(node, node.name)
      },
      MemberExpression(node) {
        const name = `${node.object.name ?? ''}.${node.property.name ?? ''}`
        if (WORLD_MEMBERS.has(name)) report(node, name)
      },
    }
  },
}

export default { meta: { name: 'house' }, rules: { floors, 'pure-core': pureCore } }
