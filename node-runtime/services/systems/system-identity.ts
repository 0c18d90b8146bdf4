// Which system a commit of a repository is: whose key names it, and which installed one it goes on from.
import { CloudError } from '../../contract/errors.ts'
import type { Manifest } from '../../contract/manifest.ts'
import { canonicalOrigin } from '../../core/systems/canonical-origin.ts'
import { contentHash } from '../../core/systems/content-hash.ts'
import { formerKeysOf } from '../../core/systems/former-keys.ts'
import { findConflict } from '../../core/systems/key-chains.ts'
import { openSignature, SIGNATURE_PATH } from '../../core/systems/signature.ts'
import { signedSystemKey, systemKeyAt } from '../../core/systems/system-key.ts'
import type { InstalledEntry, InstalledState } from './installed-state.ts'

export interface SystemIdentity {
  key: string
  /** The publisher's keys from the first to the one that signs now; null for an unsigned system. */
  publisherKeys: string[] | null
  /** Keys that it had before, from the first on. */
  formerKeys: string[]
  /** What installing would update. Its key differs if this one continues it. */
  earlier: InstalledEntry | undefined
}

function invalid(reason: string, details: object): CloudError {
  return new CloudError('SYSTEM_SIGNATURE_INVALID', reason, details)
}

/**
 * The keys of the publisher who signed these files; null if nobody claims to have.
 * @throws CloudError SYSTEM_SIGNATURE_INVALID
 */
export function readPublisher(files: ReadonlyMap<string, Uint8Array>, id: string): string[] | null {
  const bytes = files.get(SIGNATURE_PATH)
  if (bytes === undefined) return null
  const signature = openSignature(bytes)
  if (signature === null) {
    throw invalid(
      `The publisher's signature (${SIGNATURE_PATH}) is not valid. Ask its author to sign it again, and don't install it from elsewhere.`,
      { id },
    )
  }
  if (signature.id !== id) {
    throw invalid(
      `The signature is that of another system, "${signature.id}": somebody has copied it here.`,
      { id, signed: signature.id },
    )
  }
  if (signature.contentHash !== contentHash(files, SIGNATURE_PATH)) {
    throw invalid(
      'These files are not the ones that the publisher signed: they were changed afterwards, by the author without signing again or by somebody else.',
      { id, publisher: signature.keys[0] },
    )
  }
  return signature.keys
}

/**
 * A key that was handed over signs nothing any more, once this machine has seen its successor: in
 * whichever of the publisher's systems, installed or not any more.
 * @throws CloudError SYSTEM_SIGNATURE_INVALID; SYSTEM_KEYS_FORKED if it has named another successor, too
 */
function checkSuccession(state: InstalledState, id: string, keys: readonly string[]): void {
  const installed = [...state.systems.values()].map(({ publisherKeys }) => publisherKeys ?? [])
  const conflict = findConflict([...state.keptChains, ...installed], keys)
  if (conflict === undefined) return
  const { known } = conflict
  const details = { id, publisher: keys[0], signer: keys.at(-1) }
  if (conflict.kind === 'replaced') {
    throw invalid(
      'This is signed with a key that its publisher has replaced since, as this machine has seen in a version that is or was installed. The key may be stolen: install nothing that it signs, and ask the publisher to sign with the present one.',
      { ...details, replacedBy: known.at(-1) },
    )
  }
  const { by, knownNext, otherNext } = conflict
  throw new CloudError(
    'SYSTEM_KEYS_FORKED',
    'One of this publisher’s keys has named two different successors: one in what is or was installed here, the other in this. Somebody has stolen that key, and one of the two is theirs. Ask the publisher, by another way than these repositories, which key is the publisher’s own. If it is the one here, do not install this. If it is the one in this, let this machine forget what it knows of the publisher, and install this then.',
    { ...details, forkedBy: by, knownSuccessor: knownNext, otherSuccessor: otherNext },
  )
}

/** Do two addresses name one place? */
export function isSameOrigin(one: string, other: string): boolean {
  const [a, b] = [canonicalOrigin(one), canonicalOrigin(other)]
  return a !== null && b !== null && a.origin === b.origin && a.path === b.path
}

/**
 * Who these files of a repository are, on this machine.
 * @param url  the completed address they came from
 * @throws CloudError SYSTEM_SIGNATURE_INVALID, SYSTEM_KEYS_FORKED
 */
export function identifySystem(
  { url, files }: { url: string; files: ReadonlyMap<string, Uint8Array> },
  manifest: Manifest,
  state: InstalledState,
  machine: string,
): SystemIdentity {
  const { id, continues } = manifest
  const publisherKeys = readPublisher(files, id)
  const publisher = publisherKeys?.[0]
  const key =
    publisher === undefined
      ? (findUnsigned(state, url, id)?.key ?? systemKeyAt(url, id, machine))
      : signedSystemKey(publisher, id)
  const same = state.systems.get(key)
  const continued = continues === undefined ? null : findContinued(continues)
  const earlier = same ?? continued?.entry
  if (publisherKeys !== null) checkSuccession(state, id, publisherKeys)
  const claimed = [...(same?.formerKeys ?? []), ...(continued?.keys ?? [])]
  return { key, publisherKeys, formerKeys: formerKeysOf(key, claimed), earlier }

  /** What the manifest says to continue, with the keys of it, if it has the right to say so. */
  function findContinued(old: string): { entry?: InstalledEntry; keys: string[] } | null {
    const entry = state.systems.get(old)
    if (entry === undefined) {
      // Nothing of it is here; its records can still be known by the key that this origin had.
      return old === systemKeyAt(url, id, machine) ? { keys: [old] } : null
    }
    const isHonoured =
      entry.publisherKeys === null
        ? isSameOrigin(entry.url, url)
        : publisher !== undefined && publisher === entry.publisherKeys[0]
    return isHonoured ? { entry, keys: [...entry.formerKeys, entry.key] } : null
  }
}

/** A restored folder has a new machine key, and what is installed from its own disk keeps its name. */
function findUnsigned(state: InstalledState, url: string, id: string): InstalledEntry | undefined {
  return [...state.systems.values()].find(
    (entry) =>
      entry.publisherKeys === null && entry.manifest.id === id && isSameOrigin(entry.url, url),
  )
}
