// Folders that can't be used are not deleted: somebody may still want what is in them.
import { access, rename } from 'node:fs/promises'

/** Renames a folder to the first name beside it that is free, and returns that. */
export async function putAside(folder: string): Promise<string> {
  for (let number = 1; ; number++) {
    const aside = `${folder}.aside-${number}`
    try {
      await access(aside)
    } catch {
      // No such folder: this name is free.
      await rename(folder, aside)
      return aside
    }
  }
}
