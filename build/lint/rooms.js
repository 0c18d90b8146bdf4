// The floors of the house: which room may import which. A file may import its own room, and what its room
// says:
// - `at`: the prefix of its files' paths; the first that fits a file is its room;
// - `rooms`: rooms that it may import, `types`: rooms of which it may import types only;
// - `files`: single files of other rooms that it may import, `not`: files that it may not;
// - `packages`: libraries that it may import, a list of those or `not` and a list of all others;
// - `typePackages`: libraries of which it may import types only;
// - `node`: it may import Node's own modules.

/** The engines of the network: only the rooms that touch the world may use them. */
const ENGINES =
  /^(hyper|autobase|corestore|protomux|compact-encoding|@hyperswarm\/|classic-level|udx)/
const DESKTOP = /^electron(\/|$)/

const noEngines = { not: [ENGINES, DESKTOP] }
const world = { not: [DESKTOP] }

export const ROOMS = [
  // Below all: what can be called, and how.
  {
    room: 'contract',
    at: 'node-runtime/contract/',
    rooms: [],
    packages: ['zod', '@orpc/contract'],
  },
  { room: 'flow', at: 'node-runtime/flow/', rooms: ['contract'], packages: [] },
  {
    room: 'rpc',
    at: 'node-runtime/rpc/',
    rooms: ['contract', 'flow'],
    packages: ['zod', /^@orpc\//],
  },
  // What decides, and what it needs of the world.
  {
    room: 'core',
    at: 'node-runtime/core/',
    rooms: ['contract'],
    types: ['ports'],
    packages: ['zod', 'canonicalize', 'z32', 'sodium-universal'],
  },
  {
    room: 'ports',
    at: 'node-runtime/ports/',
    rooms: [],
    types: ['contract', 'core'],
    packages: [],
  },
  // The world: engines, disks, workers.
  {
    room: 'swarm',
    at: 'node-runtime/swarm/',
    rooms: ['contract', 'core', 'ports', 'flow'],
    packages: world,
    node: true,
  },
  {
    room: 'store',
    at: 'node-runtime/store/',
    rooms: ['contract', 'core', 'ports', 'flow'],
    types: ['swarm'],
    packages: world,
    node: true,
  },
  {
    room: 'sandbox',
    at: 'node-runtime/sandbox/',
    rooms: ['contract', 'core', 'ports', 'flow'],
    packages: noEngines,
    node: true,
  },
  // What the machine does for callers, and how it is put together.
  {
    room: 'services',
    at: 'node-runtime/services/',
    rooms: ['contract', 'rpc', 'core', 'ports', 'flow', 'swarm', 'store', 'sandbox'],
    packages: noEngines,
    node: true,
  },
  {
    room: 'machine',
    at: 'node-runtime/machine/',
    rooms: ['contract', 'rpc', 'core', 'ports', 'flow', 'swarm', 'store', 'sandbox', 'services'],
    packages: noEngines,
    typePackages: ['hyperdht'],
    node: true,
  },
  // Where machines run.
  {
    room: 'host',
    at: 'node-runtime/host/',
    rooms: ['contract', 'rpc', 'core', 'ports', 'flow', 'store', 'services', 'machine'],
    packages: noEngines,
    typePackages: ['hyperdht'],
    node: true,
  },
  {
    // Its bots play by the rules of the game that comes with Dharma.
    room: 'demo',
    at: 'node-runtime/daemon/demo/',
    rooms: [
      'contract',
      'rpc',
      'core',
      'ports',
      'flow',
      'swarm',
      'services',
      'machine',
      'host',
      'daemon',
      'event-games',
      'store',
    ],
    packages: noEngines,
    node: true,
  },
  {
    room: 'daemon',
    at: 'node-runtime/daemon/',
    rooms: [
      'contract',
      'rpc',
      'core',
      'ports',
      'flow',
      'swarm',
      'store',
      'services',
      'machine',
      'host',
      'demo',
    ],
    packages: noEngines,
    typePackages: ['hyperdht'],
    node: true,
  },
  {
    room: 'simulator',
    at: 'node-runtime/simulator/',
    rooms: ['contract', 'core', 'ports'],
    packages: noEngines,
    node: true,
  },
  // The desktop app.
  {
    room: 'electron-contract',
    at: 'electron/contract/',
    rooms: ['contract'],
    packages: ['zod', '@orpc/contract'],
  },
  {
    room: 'runtime-process',
    at: 'electron/runtime-process/',
    rooms: ['contract', 'rpc', 'ports', 'flow', 'machine', 'host'],
    packages: { not: [ENGINES] },
    node: true,
  },
  {
    room: 'electron',
    at: 'electron/',
    rooms: ['contract', 'rpc', 'flow', 'electron-contract'],
    files: [
      'node-runtime/host/default-data-dir.ts',
      'node-runtime/host/bootstrap.ts',
      'node-runtime/host/list-option.ts',
    ],
    types: ['runtime-process'],
    packages: { not: [ENGINES] },
    node: true,
  },
  // The window's pages.
  {
    room: 'ui',
    at: 'renderer/ui/',
    rooms: ['contract'],
    files: ['renderer/client/cloud-error.ts'],
    packages: noEngines,
  },
  {
    room: 'stores',
    at: 'renderer/stores/',
    rooms: ['contract', 'flow', 'electron-contract', 'client'],
    types: ['rpc'],
    packages: { not: [ENGINES, DESKTOP, /^react/] },
  },
  {
    room: 'client',
    at: 'renderer/client/',
    rooms: ['contract', 'flow', 'electron-contract', 'rpc'],
    not: ['node-runtime/rpc/server.ts', 'node-runtime/rpc/caller.ts'],
    packages: noEngines,
  },
  {
    room: 'window',
    at: 'renderer/',
    rooms: ['contract', 'electron-contract', 'client', 'stores', 'ui'],
    types: ['rpc'],
    packages: noEngines,
  },
  // Systems, as strangers write them, and what they are given.
  {
    room: 'sdk',
    at: 'extensions/sdk/',
    rooms: ['contract', 'rpc'],
    packages: { not: [ENGINES, DESKTOP, /^react/] },
  },
  {
    room: 'event-games',
    at: 'extensions/event-games/',
    rooms: [],
    packages: ['/.dharma/sdk.js', '/.dharma/lit.js'],
  },
  {
    room: 'extensions',
    at: 'extensions/',
    rooms: [],
    packages: ['/.dharma/sdk.js', '/.dharma/lit.js'],
  },
]

/** Tests and tools may reach everywhere; what stands in no room (configuration) is left alone. */
export const EVERYWHERE = [
  /\.test\.tsx?$/,
  /(^|\/)testing\//,
  /^renderer\/test\//,
  /^extensions\/sdk\/memory-runtime\.ts$/,
  /^(e2e|build)\//,
]

/** The room of a file, by its path from the root; undefined if it stands in none. */
export function roomOf(file) {
  return ROOMS.find(({ at }) => file.startsWith(at))
}
