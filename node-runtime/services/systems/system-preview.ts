// What a person sees of a repository before saying yes: what it is, whose, and what it would change.
import { lookup } from 'mrmime'
import type { Manifest } from '../../contract/manifest.ts'
import type { SystemPreview } from '../../contract/systems.ts'
import { compareCollections } from '../../core/systems/collection-schemas.ts'
import { isOlderVersion } from '../../core/systems/system-version.ts'
import type { RepositorySnapshot } from './git-tree.ts'
import { describeEntry } from './installed-state.ts'
import type { InstalledEntry, InstalledState } from './installed-state.ts'
import { isSameOrigin } from './system-identity.ts'
import type { SystemIdentity } from './system-identity.ts'

/** A picture of 44 pixels has no use for more, and the preview travels as one message. */
const MAX_ICON_BYTES = 256 * 1024

/**
 * Describes a commit of a repository on a machine with these systems.
 * @param host  what it will be called in addresses
 */
export function describePreview(
  snapshot: RepositorySnapshot,
  manifest: Manifest,
  { key, publisherKeys, formerKeys, earlier }: SystemIdentity,
  host: string,
  state: InstalledState,
): SystemPreview {
  return {
    host,
    url: snapshot.url,
    id: manifest.id,
    key,
    publisher: publisherKeys?.[0] ?? null,
    name: manifest.name,
    version: manifest.version,
    ...(manifest.description === undefined ? {} : { description: manifest.description }),
    author: snapshot.author,
    commit: snapshot.commit,
    committedMs: snapshot.committedMs,
    message: snapshot.message,
    sizeBytes: snapshot.sizeBytes,
    fileCount: snapshot.files.size,
    icon: describeIcon(manifest, snapshot.files),
    permissions: manifest.permissions,
    collections: manifest.collections,
    sessions: manifest.sessions,
    installed:
      earlier === undefined
        ? null
        : {
            key: earlier.key,
            version: earlier.manifest.version,
            commit: earlier.commit,
            url: earlier.url,
            granted: earlier.granted,
          },
    changes: earlier === undefined ? null : describeChanges(earlier.manifest, manifest),
    namesakes: [...state.systems.values()]
      .filter((entry) => entry.manifest.id === manifest.id && entry !== earlier)
      .map((entry) => ({
        ...describeNamesake(entry),
        sameAddress: isSameOrigin(entry.url, snapshot.url),
        continued: formerKeys.includes(entry.key),
      })),
  }
}

function describeIcon({ icon }: Manifest, files: RepositorySnapshot['files']): string | null {
  const bytes = icon === undefined ? undefined : files.get(icon)
  const type = icon === undefined ? undefined : lookup(icon)
  if (bytes === undefined || bytes.length > MAX_ICON_BYTES || !type?.startsWith('image/'))
    return null
  return `data:${type};base64,${Buffer.from(bytes).toString('base64')}`
}

function describeChanges(before: Manifest, after: Manifest): NonNullable<SystemPreview['changes']> {
  return {
    older: isOlderVersion(after.version, before.version),
    permissions: after.permissions.filter((permission) => !before.permissions.includes(permission)),
    collections: compareCollections(before.collections, after.collections),
  }
}

function describeNamesake(entry: InstalledEntry) {
  const { id, key, publisher, host, name, version, url, author } = describeEntry(entry)
  return { id, key, publisher, host, name, version, url, author }
}
