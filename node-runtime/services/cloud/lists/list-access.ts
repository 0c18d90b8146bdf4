// Who may write to a list, or read where not everybody may: as it is kept on the disk, and as it is used.
import type { SecretStore } from '../../../ports/secret-store.ts'
import type { ListAccess } from './list-source.ts'
import type { KeptList } from './lists-file.ts'

type KeptAccess = NonNullable<KeptList['access']>

/** In the system's key store, where there is one; else in a file that its owner alone can read. */
export async function sealAccess(
  access: ListAccess | null,
  secrets: SecretStore,
): Promise<KeptAccess | null> {
  if (access === null) return null
  const { username, secret } = access
  const sealed = await secrets.seal(secret)
  return sealed === null
    ? { username, secret, kept: 'plain' }
    : { username, secret: sealed, kept: 'sealed' }
}

/** Null if the key store does not know it any more. */
export async function openAccess(
  { username, secret, kept }: KeptAccess,
  secrets: SecretStore,
): Promise<ListAccess | null> {
  const opened = kept === 'plain' ? secret : await secrets.open(secret)
  return opened === null ? null : { username, secret: opened }
}
