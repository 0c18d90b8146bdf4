// The built-in pages: one table for the rail, the tabs, the address bar and the palette.
import { Cable, House, Monitor, PanelsTopLeft, Settings } from 'lucide-react'
import type { ComponentType, ReactNode } from 'react'
import type { BuiltInPage } from '../client/address.ts'
import { ConnectionPage } from '../features/connection/connection-page.tsx'
import { HomePage } from '../features/home/home-page.tsx'
import { MachinesPage } from '../features/machines/machines-page.tsx'
import { SettingsPage } from '../features/settings/settings-page.tsx'
import { SystemsPage } from '../features/systems/systems-page.tsx'

export interface PageInfo {
  title: string
  icon: ReactNode
  Page: ComponentType
}

export const PAGES: Record<BuiltInPage, PageInfo> = {
  home: { title: 'Home', icon: <House />, Page: HomePage },
  systems: { title: 'Systems', icon: <PanelsTopLeft />, Page: SystemsPage },
  machines: { title: 'Machines', icon: <Monitor />, Page: MachinesPage },
  connection: { title: 'Connection', icon: <Cable />, Page: ConnectionPage },
  settings: { title: 'Settings', icon: <Settings />, Page: SettingsPage },
}
