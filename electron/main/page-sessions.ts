// Where pages keep their storage: the shell, each system and the web apart from each other, each
// session set up once and before any page of it opens.
import { session } from 'electron'
import type { Session } from 'electron'
import type { Client } from '../../node-runtime/rpc/client.ts'
import type { PageOwner } from './navigation.ts'
import { denyPermissions } from './permissions.ts'
import { closeNetwork } from './network.ts'
import { serveShell, serveSystem } from './protocols.ts'

export interface PageSessionsOptions {
  /** The folder of the bundled renderer. */
  rendererDir: string
  openClient: () => Promise<Client>
}

function nameOf(owner: PageOwner): string | null {
  if (owner.kind === 'shell') return null
  return owner.kind === 'web' ? 'persist:web' : `persist:system-${owner.system}`
}

/** Gives the session of an owner's pages. */
export function createPageSessions({
  rendererDir,
  openClient,
}: PageSessionsOptions): (owner: PageOwner) => Session {
  const ready = new Set<Session>()

  const setUp = (owner: PageOwner, own: Session): void => {
    denyPermissions(own)
    own.setSpellCheckerEnabled(false)
    if (owner.kind === 'shell') serveShell(own, rendererDir)
    if (owner.kind === 'system') {
      // No page of it comes before its session is closed, and none if that fails.
      const closed = closeNetwork(own)
      serveSystem(own, owner.system, async () => {
        await closed
        return openClient()
      })
    }
    // A web page's download asks where to put it; nobody else has anything to download.
    if (owner.kind !== 'web') own.on('will-download', (event) => event.preventDefault())
  }

  return (owner) => {
    const name = nameOf(owner)
    const own = name === null ? session.defaultSession : session.fromPartition(name)
    if (!ready.has(own)) {
      ready.add(own)
      setUp(owner, own)
    }
    return own
  }
}

/** Deletes all that the pages of a session have kept, and what was kept of them. */
export async function clearSession(own: Session): Promise<void> {
  await own.clearStorageData()
  await own.clearCache()
  await own.clearCodeCaches({})
}
