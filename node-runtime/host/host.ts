// Makes a running machine reachable on this computer: the server, and the file that says where it is.
import { CloudError } from '../contract/errors.ts'
import type { Log } from '../ports/log.ts'
import type { Runtime } from '../machine/runtime.ts'
import { removeRuntimeFile, writeRuntimeFile } from '../store/runtime-file.ts'
import { startHttpServer } from './http-server.ts'
import type { HttpServer } from './http-server.ts'
import { readLastPort, writeLastPort } from './last-port.ts'
import { SHELL_DIR } from './places.ts'

export interface HostOptions {
  dataDir: string
  /** 0 takes the one that the folder had last, if it is free; else any. */
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
  const startOn = (port: number): Promise<HttpServer> =>
    startHttpServer({
      port,
      shellDir: SHELL_DIR,
      serve: (callPort, caller) => runtime.serve(callPort, caller),
      systems: runtime.systems,
      log,
    })
  const lastPort = await readLastPort(dataDir)
  const server = await startOn(wantedPort === 0 ? lastPort : wantedPort).catch((error: unknown) => {
    const isTaken = error instanceof CloudError && error.code === 'PORT_IN_USE'
    if (wantedPort === 0 && isTaken) return startOn(0)
    throw error
  })
  const { url, token, port } = server
  try {
    await writeRuntimeFile(dataDir, { pid: process.pid, url, token, port })
    if (port !== lastPort) await writeLastPort(dataDir, port)
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
