// The file system that a fetched repository lives in: memory only. Nothing of a stranger's
// repository touches the disk before it has been checked, whatever names its branches have.
import type { PromiseFsClient } from 'isomorphic-git'

type ReadOptions = { encoding?: string } | string | undefined

interface FileStat {
  type: 'file' | 'dir'
  mode: number
  size: number
  ino: number
  mtimeMs: number
  ctimeMs: number
  uid: 1
  gid: 1
  dev: 1
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function unsupported(path: string): Promise<never> {
  return Promise.reject(failure('ENOTSUP', path))
}

/**
 * An empty file system in the form that isomorphic-git takes.
 * @param checkWrite  throws to refuse a file
 */
export function createMemoryFs(
  checkWrite: (path: string, bytes: Uint8Array) => void,
): PromiseFsClient {
  const files = new Map<string, Uint8Array>()
  const folders = new Set([''])

  function stat(path: string): Promise<FileStat> {
    const bytes = files.get(path)
    const isFolder = folders.has(path)
    if (bytes === undefined && !isFolder) return Promise.reject(failure('ENOENT', path))
    return Promise.resolve({
      type: isFolder ? 'dir' : 'file',
      mode: isFolder ? 0o40755 : 0o100644,
      size: bytes?.length ?? 0,
      ino: 0,
      mtimeMs: 0,
      ctimeMs: 0,
      uid: 1,
      gid: 1,
      dev: 1,
      isFile: () => !isFolder,
      isDirectory: () => isFolder,
      isSymbolicLink: () => false,
    })
  }

  return {
    promises: {
      readFile(path: string, options: ReadOptions): Promise<Uint8Array | string> {
        const bytes = files.get(path)
        if (bytes === undefined) return Promise.reject(failure('ENOENT', path))
        const encoding = typeof options === 'string' ? options : options?.encoding
        return Promise.resolve(encoding === undefined ? bytes : new TextDecoder().decode(bytes))
      },
      async writeFile(path: string, data: Uint8Array | string): Promise<void> {
        if (!folders.has(parentOf(path))) throw failure('ENOENT', path)
        const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
        checkWrite(path, bytes)
        files.set(path, bytes)
      },
      async unlink(path: string): Promise<void> {
        if (!files.delete(path)) throw failure('ENOENT', path)
      },
      async mkdir(path: string): Promise<void> {
        if (folders.has(path)) throw failure('EEXIST', path)
        if (!folders.has(parentOf(path))) throw failure('ENOENT', path)
        folders.add(path)
      },
      async rmdir(path: string): Promise<void> {
        if (!folders.delete(path)) throw failure('ENOENT', path)
      },
      async readdir(path: string): Promise<string[]> {
        if (!folders.has(path)) throw failure('ENOENT', path)
        return [...files.keys(), ...folders]
          .filter((entry) => entry !== '' && parentOf(entry) === path)
          .map((entry) => entry.slice(path.length + 1))
      },
      stat,
      lstat: stat,
      readlink: unsupported,
      symlink: unsupported,
    },
  }
}
