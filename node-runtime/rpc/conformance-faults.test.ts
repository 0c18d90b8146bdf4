// What neither end takes from the other, over every transport: what is no frame, or breaks the contract.
import { eventIterator } from '@orpc/contract'
import { implement } from '@orpc/server'
import { describe, expect, test } from 'vitest'
import { call } from '../contract/procedure.ts'
import { jsonSchema } from '../contract/values.ts'
import { connect } from './client.ts'
import type { AnyPort } from './port.ts'
import { createServer, openAccess } from './server.ts'
import { collect, failure, start, testContract, until } from './testing/test-service.ts'
import { transports } from './testing/transports.ts'
import type { Link } from './testing/transports.ts'

/** As the contract, but an answer may be anything: a server that is wrong. */
const laxContract = {
  test: {
    echo: call({ input: jsonSchema, output: jsonSchema }),
    count: call({ input: jsonSchema, output: eventIterator(jsonSchema) }),
  },
}

/** A client whose server we play ourselves, or which breaks the contract. */
async function startLax(openLink: () => Promise<Link>) {
  const link = await openLink()
  const os = implement(laxContract)
  const router = os.router({
    test: {
      echo: os.test.echo.handler(() => ({ wrong: true })),
      count: os.test.count.handler(async function* () {
        yield { n: 0 }
        yield { n: 'one' }
      }),
    },
  })
  createServer(router, { access: openAccess, onInternalError: () => undefined })(link.server, {})
  return { link, client: connect(testContract, link.client).test }
}

/** Every message that arrives at a port, beside the client. */
function listenRaw(port: AnyPort, listener: (data: string) => void): void {
  if ('addEventListener' in port) {
    port.addEventListener('message', (event) => listener((event as MessageEvent<string>).data))
  } else port.on('message', (event) => listener(String(event?.data)))
}

describe.each(Object.entries(transports))('over %s', (_, openLink) => {
  test('bad arguments are refused before they are sent', async () => {
    const { client, link, world } = await start(openLink)
    let sent = 0
    const post = link.client.postMessage.bind(link.client)
    link.client.postMessage = (message: unknown) => {
      sent++
      post(message as string)
    }
    const error = await failure(client.records({ system: 'Not An Id' }))
    expect(error.code).toBe('BAD_INPUT')
    expect(error.message).toContain('system')
    expect(sent).toBe(0)
    await client.echo({ value: 1 })
    expect(sent).toBe(1)
    expect(world.calls).toEqual(['echo'])
  })

  test('bad arguments that are sent all the same are refused by the server', async () => {
    const { link, client, world } = await start(openLink)
    const answers: string[] = []
    listenRaw(link.client, (data) => answers.push(data))
    link.sendRaw(JSON.stringify({ i: 'a', p: { u: '/test/echo', b: { json: { held: 'x' } } } }))
    link.sendRaw(JSON.stringify({ i: 'b', p: { u: '/test/echo', b: 7 } }))
    link.sendRaw(JSON.stringify({ i: 'c', p: { u: '/test/echo', b: null } }))
    await until(() => answers.length === 3)
    for (const answer of answers) expect(answer).toContain('"code":"BAD_')
    expect(world.calls).toEqual([])
    expect(await client.echo({ value: 'still here' })).toEqual({ value: 'still here' })
  })

  test('what is no frame is dropped by either end, which go on', async () => {
    const { link, client } = await start(openLink)
    const junk = [
      '',
      'junk',
      '{',
      'null',
      '[]',
      '{"i":1,"p":{}}',
      '{"i":"x"}',
      '{"i":"x","p":null}',
      '{"i":"x","p":{"u":"http://elsewhere/test/echo"}}',
      '{"i":"x","t":3,"p":null}',
      '{"i":"x","t":9,"p":{}}',
      '{"i":"x","t":4}',
    ]
    for (const text of junk) {
      link.sendRaw(text)
      link.answerRaw(text)
    }
    link.sendRaw(new Uint8Array([1, 255, 2]))
    expect(await client.echo({ value: 1 })).toEqual({ value: 1 })
  })

  test('an answer that breaks the contract never reaches the caller', async () => {
    const { client, world } = await start(openLink)
    expect((await failure(client.misanswer({}))).code).toBe('INTERNAL')
    expect(world.internalErrors).toHaveLength(1)
    const events: unknown[] = []
    const stream = await client.miscount({})
    expect((await failure(collect(stream, events))).code).toBe('INTERNAL')
    expect(events).toEqual([{ n: 0 }])
  })

  test('a client finds out a server that breaks the contract', async () => {
    const { client, link } = await startLax(openLink)
    expect((await failure(client.echo({ value: 1 }))).code).toBe('INTERNAL')
    const events: unknown[] = []
    expect((await failure(collect(await client.count({ to: 2 }), events))).code).toBe('INTERNAL')
    expect(events).toEqual([{ n: 0 }])
    expect((await failure(connect(testContract, link.client).test.misanswer({}))).code).toBe(
      'UNKNOWN_CALL',
    )
  })
})
