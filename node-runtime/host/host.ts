// Makes a running machine reachable on this computer: the server, and the file that says where it is.
import type { Log } from '../ports/log.ts'
import type { Runtime } from '../machine/runtime.ts'
import { removeRuntimeFile, writeRuntimeFile } from './runtime-file.ts'
import { startHttpServer } from './http-server.ts'
import { SHELL_DIR } from './places.ts'

export interface HostOptions {
  dataDir: string
  /** 0 takes a free one. */
  port: number
  log: Log
}

export interface Host {
  /** What a person opens in a browser. */
  url: string
  close(): Promise<void>
}

/** Serves a machine to browsers and to `dharma call`. @throws CloudError PORT_IN_USE */
export async function hostRuntime(
  runtime: Pick<Runtime, 'serve' | 'systems'>,
  { dataDir, port: wantedPort, log }: HostOptions,
): Promise<Host> {
  const server = await startHttpServer({
    port: wantedPort,
    shellDir: SHELL_DIR,
    serve: (port, caller) => runtime.serve(port, caller),
    systems: runtime.systems,
    log,
  })
  const { url, token, port } = server
  try {
    await writeRuntimeFile(dataDir, { pid: process.pid, url, token, port })
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    url,
    async close() {
      await removeRuntimeFile(dataDir)
      await server.close()
    },
  }
}
