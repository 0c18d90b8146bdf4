// What a store holds, byte for byte, for tests that compare machines.
import { encodeRecord } from '../core/db/signed-record.ts'
import { toHex } from '../core/keys.ts'
import { fingerprintBytes } from '../core/sync/fingerprint.ts'
import { FingerprintTree } from '../core/sync/fingerprint-tree.ts'
import { IndexedRecords } from '../store/indexed-records.ts'
import { silentLog } from './silent-log.ts'

export interface Held {
  /** Of all that is held: what machines compare. */
  fingerprint: string
  /** Envelopes with the attestations they name, in the order of records. */
  envelopes: string[]
}

/** All that a store holds. */
export async function heldIn(store: IndexedRecords): Promise<Held> {
  const tree = new FingerprintTree()
  const envelopes: string[] = []
  for await (const items of store.order()) {
    for (const { version, id32 } of items) tree.insert({ version, id: toHex(id32) })
    for (const stored of await store.byId32(items)) {
      if (stored === undefined) throw new Error('the order names a record that is not there')
      const forms = await Promise.all(
        stored.record.signatures.map(({ attestation }) => store.attestation(attestation)),
      )
      envelopes.push(`${toHex(encodeRecord(stored.record))} ${JSON.stringify(forms)}`)
    }
  }
  return { fingerprint: toHex(fingerprintBytes(tree.fingerprint())), envelopes }
}

/** The same for the folder of a machine that is closed. */
export async function heldOnDisk(folder: string, cloud: string): Promise<Held> {
  const { store } = await IndexedRecords.open({ folder, cloud, log: silentLog, nowMs: Date.now })
  try {
    return await heldIn(store)
  } finally {
    await store.close()
  }
}
