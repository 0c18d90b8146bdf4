import type { ReactNode } from 'react'
import { useShell } from './shell.tsx'
import { pageAddress } from '../client/address.ts'
import type { BuiltInPage } from '../client/address.ts'

export function PageLink({ page, children }: { page: BuiltInPage; children: string }): ReactNode {
  const { tabs } = useShell()
  return (
    <a
      className="link"
      href={pageAddress(page)}
      onClick={(event) => {
        event.preventDefault()
        tabs.go(pageAddress(page))
      }}
    >
      {children}
    </a>
  )
}
