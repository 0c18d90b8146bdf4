import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import type { InstalledSystem } from '../../../node-runtime/contract/systems.ts'
import type { Client } from '../../../node-runtime/rpc/client.ts'
import { useClient } from '../../app/shell.tsx'
import { KeyPicture } from '../../ui/key-picture.tsx'

/** Icons by system and commit: the bytes of a commit never change. */
const loaded = new Map<string, Promise<string | null>>()

async function loadIcon(client: Client, key: string, icon: string): Promise<string | null> {
  const path = icon.startsWith('/') ? icon : `/${icon}`
  const { contentType, bodyBase64 } = await client.systems.asset({ system: key, path })
  return contentType.startsWith('image/') ? `data:${contentType};base64,${bodyBase64}` : null
}

interface SystemIconProps {
  id: string
  system: InstalledSystem | null
  size: number
}

/** The system's own icon; a picture made from its key while there is none. */
export function SystemIcon({ id, system, size }: SystemIconProps): ReactNode {
  const client = useClient()
  const [url, setUrl] = useState<string | null>(null)
  const icon = system?.icon
  const commit = system?.commit
  const key = system?.key
  useEffect(() => {
    setUrl(null)
    if (icon === undefined || commit === undefined || key === undefined) return
    let current = true
    const name = `${key} ${commit}`
    const loading = loaded.get(name) ?? loadIcon(client, key, icon)
    loaded.set(name, loading)
    loading.then(
      (next) => {
        if (current) setUrl(next)
      },
      // The picture stands in for it; a later connection tries again.
      () => loaded.delete(name),
    )
    return () => {
      current = false
    }
  }, [client, key, icon, commit])
  if (url === null) return <KeyPicture text={key ?? id} size={size} />
  return <img className="system-icon" src={url} alt="" width={size} height={size} />
}
