// What a system's page could tell the world behind the back of its policy: nothing gets out of the
// desktop window. Each try is first seen to work from an ordinary web page, so that it can fail.
import { expect, test } from '@playwright/test'
import { goTo, systemPage } from './support/app-window.ts'
import { listen } from './support/listeners.ts'
import type { Listeners } from './support/listeners.ts'
import { PLAIN, startPlainMachine } from './support/plain-system.ts'
import type { PlainMachine } from './support/plain-system.ts'
import { reachByWebRtc } from './support/web-rtc.ts'
import { serveWebSite } from './support/web-site.ts'
import type { WebSite } from './support/web-site.ts'

let plain: PlainMachine
let site: WebSite
let listeners: Listeners

test.beforeAll(async () => {
  plain = await startPlainMachine()
  site = await serveWebSite()
  await plain.install()
})
test.afterAll(async () => {
  await plain.close()
  await site.close()
})
test.beforeEach(async () => {
  listeners = await listen()
})
test.afterEach(() => listeners.close())

test('a system’s page reaches nobody by WebRTC, from a frame neither', async () => {
  const { udpPort, tcpPort, heard } = listeners
  const { machine, window } = plain
  await goTo(window, `${site.origin}/`)
  const web = await machine.view(site.origin)
  expect(await web.evaluate(reachByWebRtc, { udpPort, tcpPort })).toBe(2)
  expect(heard).toContain('tcp connection')
  expect(heard.some((what) => what.startsWith('udp'))).toBe(true)

  heard.length = 0
  await goTo(window, `cloud://${PLAIN}/`)
  const system = await systemPage(window, PLAIN)
  expect(await system.evaluate(reachByWebRtc, { udpPort, tcpPort })).toBe(2)
  expect([...new Set(heard)]).toEqual([])
})
