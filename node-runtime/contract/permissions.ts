// What a system may ask for, in the words that the person reads before saying yes. Default is deny,
// and no permission gives everything.
import * as z from 'zod'

export const PERMISSIONS = {
  db: {
    title: 'Keep records in the cloud',
    description: 'Read and write the records of its own collections. Not those of other systems.',
  },
  sessions: {
    title: 'Play and watch sessions',
    description: 'Open sessions with other people in your name, act in them, and watch them.',
  },
  identity: {
    title: 'Know who you are here',
    description: 'See your public key and the name you chose. Never your recovery phrase.',
  },
} as const

export type Permission = keyof typeof PERMISSIONS
export const permissionSchema = z.enum(Object.keys(PERMISSIONS) as [Permission, ...Permission[]])
