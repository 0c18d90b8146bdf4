// An ordinary web site of three pages on 127.0.0.1, for the tabs.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const PAGES: Record<string, string> = {
  '/': 'Welcome',
  '/second': 'Second page',
}

export interface WebSite {
  /** Without a slash at the end. */
  origin: string
  close(): Promise<void>
}

export async function serveWebSite(): Promise<WebSite> {
  let visits = 0
  const server = createServer((request, response) => {
    const heading = PAGES[request.url ?? '/']
    visits += 1
    response.writeHead(heading === undefined ? 404 : 200, { 'content-type': 'text/html' })
    response.end(`<!doctype html><html lang="en"><title>${heading ?? 'Not found'}</title>
      <body style="font: 16px sans-serif; margin: 48px">
      <h1>${heading ?? 'Not found'}</h1>
      <p>Loaded <span id="visits">${visits}</span> times.</p>
      <a href="/second">Go to the second page</a></body></html>`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
