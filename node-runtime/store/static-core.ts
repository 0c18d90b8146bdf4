// Static Hypercores: blocks whose tree hash stands in the manifest, and no signer. Their key is a hash
// of what they hold, so that all who have the same blocks have the same core, and nobody can append to
// it. The one place that reaches into Hypercore's inside; `sealed-cores.test.ts` fails when it moves.
import { randomUUID } from 'node:crypto'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'

/** Blocks that are written at once while sealing. */
const CHUNK_BLOCKS = 256

/** What Hypercore 11.37 has inside, as far as it is used here. */
interface CoreInside {
  state: { storage: { core: object } }
  core: { copyPrologue(source: CoreInside['state']): Promise<void>; close(): Promise<void> }
}
interface CorestoreInside {
  storage: { deleteCore(core: object): Promise<void> }
}

/** Makes the static core of some blocks, or opens it if it is here already. */
export async function makeStaticCore(
  corestore: Corestore,
  blocks: readonly Uint8Array[],
): Promise<Hypercore> {
  // The tree is made by a core that is thrown away.
  const source = corestore.get({ name: `sealing-${randomUUID()}` })
  await source.ready()
  try {
    for (let at = 0; at < blocks.length; at += CHUNK_BLOCKS) {
      await source.append(blocks.slice(at, at + CHUNK_BLOCKS))
    }
    const prologue = { hash: await source.treeHash(), length: source.length }
    const core = corestore.get({
      manifest: { version: 1, hash: 'blake2b', quorum: 0, signers: [], prologue },
    })
    await core.ready()
    if (core.contiguousLength < core.length || core.length === 0) {
      await insideOf(core).core.copyPrologue(insideOf(source).state)
    }
    return core
  } finally {
    await deleteCore(corestore, source)
  }
}

/** Is this a static core, as far as is known here? False for one whose manifest did not come yet. */
export function isStaticCore({ manifest }: Hypercore): boolean {
  return manifest?.prologue != null && manifest.signers.length === 0
}

/** Closes a core and frees what it has on the disk. */
export async function deleteCore(corestore: Corestore, core: Hypercore): Promise<void> {
  const { core: place } = insideOf(core).state.storage
  const { core: inner } = insideOf(core)
  await core.clear(0, core.length)
  await core.close()
  // Else it stays open for some seconds, and would be taken for the core when that comes back.
  await inner.close()
  await (corestore as unknown as CorestoreInside).storage.deleteCore({ ...place })
}

function insideOf(core: Hypercore): CoreInside {
  return core as unknown as CoreInside
}
