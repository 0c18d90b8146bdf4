import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, until } from '../../testing/cloud-nodes.ts'
import { gatewayAmong } from './gateway.ts'
import type { MappingFailure } from './mapping-failure.ts'
import { PortMapper } from './port-mapper.ts'

const HOST = '127.0.0.1'
const OUTSIDE = '11.1.2.3'
const PORT = 40_000

type Reply = (bytes: Uint8Array, from: RemoteInfo) => Uint8Array | readonly Uint8Array[] | null

/** A router that answers as it is told, over UDP and over HTTP. */
class FakeRouter {
  readonly control = createSocket('udp4')
  #hasControl = true
  readonly ssdp = createSocket('udp4')
  readonly http: Server
  controlReply: Reply = () => null
  ssdpReply: Reply = () => null
  httpReply: (request: IncomingMessage, body: string, response: ServerResponse) => void = (
    _,
    __,
    response,
  ) => response.writeHead(404).end()
  /** What came over UDP. */
  readonly questions: Buffer[] = []
  /** Actions that were asked for over HTTP. */
  readonly actions: string[] = []

  constructor() {
    this.http = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const action = request.headers['soapaction']
        if (typeof action === 'string') this.actions.push(action.replace(/^.*#|"/g, ''))
        this.httpReply(request, Buffer.concat(parts).toString(), response)
      })
    })
  }

  async start(): Promise<void> {
    for (const [socket, reply] of [
      [this.control, (...question: Parameters<Reply>) => this.controlReply(...question)],
      [this.ssdp, (...question: Parameters<Reply>) => this.ssdpReply(...question)],
    ] as const) {
      socket.on('message', (bytes, from) => {
        if (socket === this.control) this.questions.push(bytes)
        answerTo(socket, reply(bytes, from), from)
      })
      socket.bind(0, HOST)
      await once(socket, 'listening')
    }
    this.http.listen(0, HOST)
    await once(this.http, 'listening')
  }

  get httpPort(): number {
    return (this.http.address() as AddressInfo).port
  }

  /** It speaks neither PCP nor NAT-PMP, and says so. */
  closeControl(): void {
    if (this.#hasControl) this.control.close()
    this.#hasControl = false
  }

  async close(): Promise<void> {
    this.closeControl()
    this.ssdp.close()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }
}

function answerTo(socket: Socket, answers: ReturnType<Reply>, from: RemoteInfo): void {
  const all = answers === null ? [] : answers instanceof Uint8Array ? [answers] : answers
  for (const answer of all) socket.send(answer, from.port, from.address)
}

/** Grants what is asked for by PCP. */
const grantsPcp: Reply = (bytes) => {
  const answer = Buffer.from(bytes)
  if (answer[0] !== 2) return null
  answer[1] = 0x81
  answer.fill(0, 12, 24)
  answer.set([...new Uint8Array(10), 0xff, 0xff, 11, 1, 2, 3], 44)
  return answer
}
/** Speaks NAT-PMP only. */
const grantsNatPmp: Reply = (bytes) => {
  const question = Buffer.from(bytes)
  if (question[0] !== 0) return Buffer.from([0, 0x80 | (question[1] ?? 0), 0, 1, 0, 0, 0, 9])
  if (question[1] === 0) return Buffer.from([0, 0x80, 0, 0, 0, 0, 0, 9, 11, 1, 2, 3])
  return Buffer.concat([Buffer.from([0, 0x81, 0, 0, 0, 0, 0, 9]), question.subarray(4)])
}

const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1'
/** @param more  stands in it, and should harm nobody */
function descriptionAt(controlUrl: string, more = ''): string {
  return (
    `<?xml version="1.0"?>${more.startsWith('<!') ? more : ''}<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><serviceList>` +
    '<service><serviceType>urn:schemas-upnp-org:service:Other:1</serviceType><controlURL>/no</controlURL></service>' +
    `<service><serviceType>${SERVICE}</serviceType><controlURL>${controlUrl}</controlURL></service>` +
    `</serviceList></device></deviceList>${more.startsWith('<!') ? '&more;' : more}</device></root>`
  )
}
function answerTag(action: string, values = ''): string {
  return `<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Body><u:${action}Response xmlns:u="${SERVICE}">${values}</u:${action}Response></s:Body></s:Envelope>`
}
const faultTag = (code: number): string =>
  `<s:Envelope xmlns:s="x"><s:Body><s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`

let router: FakeRouter
let mappers: PortMapper[]
let controlPort: number
beforeEach(async () => {
  router = new FakeRouter()
  mappers = []
  await router.start()
  controlPort = router.control.address().port
})
afterEach(async () => {
  await Promise.all(mappers.map((mapper) => mapper.close()))
  await router.close()
})

/** Where there is no answer, it is not waited for long. */
const IMPATIENT = 0.1

function startMapper(patience = 1): PortMapper {
  const mapper = new PortMapper({
    internalPort: async () => PORT,
    changed: () => {},
    log: silentLog,
    gateway: async () => ({ host: HOST, ownHost: HOST }),
    controlPort,
    patience,
    ssdp: { host: HOST, port: router.ssdp.address().port },
  })
  mappers.push(mapper)
  mapper.switch(true)
  return mapper
}

/** Once it is mapped, or has failed. */
async function outcome(mapper: PortMapper): Promise<string> {
  await until(() => mapper.status.state === 'mapped' || mapper.status.state === 'failed')
  const { status } = mapper
  if (status.state === 'mapped') return `${status.by} ${status.address.host}:${status.address.port}`
  return status.state === 'failed' ? status.fault.step : status.state
}

/** The router says where its description is, and speaks UPnP only. */
function announce(location = `http://${HOST}:${router.httpPort}/root.xml`): void {
  router.closeControl()
  router.ssdpReply = () =>
    Buffer.from(
      'HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n' +
        `LOCATION: ${location}\r\n\r\n`,
    )
}

/** The router gives ports by UPnP, at that URL, and answers to `AddPortMapping` as it is told. */
function speakUpnp(
  controlUrl = '/ctl',
  add: (body: string) => [status: number, xml: string] = () => [200, answerTag('AddPortMapping')],
): void {
  announce()
  router.httpReply = (request, body, response) => {
    if (request.method === 'GET') return void response.end(descriptionAt(controlUrl))
    if (body.includes('u:GetExternalIPAddress')) {
      const value = `<NewExternalIPAddress>${OUTSIDE}</NewExternalIPAddress>`
      return void response.end(answerTag('GetExternalIPAddress', value))
    }
    if (body.includes('u:DeletePortMapping'))
      return void response.end(answerTag('DeletePortMapping'))
    const [status, xml] = add(body)
    response.writeHead(status).end(xml)
  }
}

describe('a port at the router', () => {
  it('is given by PCP, and taken back at the end', async () => {
    router.controlReply = grantsPcp
    const mapper = startMapper()
    expect(await outcome(mapper)).toBe(`pcp ${OUTSIDE}:${PORT}`)
    await mapper.close()
    const last = router.questions.at(-1)
    expect(last?.readUInt32BE(4)).toBe(0)
    expect(last?.subarray(24, 36)).toEqual(router.questions[0]?.subarray(24, 36))
  })

  it('is given by NAT-PMP where that is all that the router speaks, and taken back', async () => {
    router.controlReply = grantsNatPmp
    const mapper = startMapper()
    expect(await outcome(mapper)).toBe(`nat-pmp ${OUTSIDE}:${PORT}`)
    await mapper.close()
    expect(router.questions.at(-1)?.toString('hex')).toBe('000100009c40000000000000')
  })

  it('is given by UPnP where the router answers to nothing else, and taken back', async () => {
    const bodies: string[] = []
    speakUpnp('/ctl', (body) => {
      bodies.push(body)
      return [200, answerTag('AddPortMapping')]
    })
    const mapper = startMapper()
    expect(await outcome(mapper)).toBe(`upnp ${OUTSIDE}:${PORT}`)
    expect(bodies[0]).toContain(`<NewInternalClient>${HOST}</NewInternalClient>`)
    expect(bodies[0]).toContain('<NewProtocol>UDP</NewProtocol>')
    expect(bodies[0]).toContain('<NewLeaseDuration>3600</NewLeaseDuration>')
    await mapper.close()
    expect(router.actions.at(-1)).toBe('DeletePortMapping')
  })

  it('is another one where somebody has it, and for ever where the router knows no end', async () => {
    const codes = [718, 725]
    const bodies: string[] = []
    speakUpnp('/ctl', (body) => {
      bodies.push(body)
      const code = codes.shift()
      return code === undefined ? [200, answerTag('AddPortMapping')] : [500, faultTag(code)]
    })
    const mapper = startMapper()
    const [by, address = ''] = (await outcome(mapper)).split(' ')
    expect([by, address.split(':')[0]]).toEqual(['upnp', OUTSIDE])
    expect(address).not.toBe(`${OUTSIDE}:${PORT}`)
    expect(bodies[2]).toContain('<NewLeaseDuration>0</NewLeaseDuration>')
    expect(mapper.status).toMatchObject({ untilMs: null })
  })

  it('is given back when it is switched off', async () => {
    router.controlReply = grantsPcp
    const mapper = startMapper()
    await outcome(mapper)
    mapper.switch(false)
    await until(() => router.questions.length === 2)
    expect(mapper.status).toEqual({ state: 'off' })
    expect(mapper.address).toBeNull()
  })

  it('is asked for again after a change of network', async () => {
    const mapper = startMapper(IMPATIENT)
    expect(await outcome(mapper)).toBe('NO_ANSWER')
    router.controlReply = grantsPcp
    mapper.networkChanged()
    await until(() => mapper.status.state === 'mapped')
  })

  it('is refused by a router that is set not to give one, which is said', async () => {
    router.controlReply = (bytes) => {
      const answer = Buffer.from(bytes)
      answer[1] = (answer[1] ?? 0) | 0x80
      answer[3] = 2
      return answer
    }
    expect(await outcome(startMapper(IMPATIENT))).toBe('REFUSED')
  })
})

describe('a router that is no good', { timeout: 20_000 }, () => {
  it.each([
    ['nothing', () => null],
    ['one byte', () => Buffer.from([0])],
    ['no byte', () => Buffer.alloc(0)],
    ['garbage', () => Array.from({ length: 40 }, (_, at) => Buffer.alloc(60, at))],
    ['far too much', () => Buffer.alloc(60_000)],
    ['the question', (bytes: Uint8Array) => bytes],
    [
      'what another machine asked for',
      (bytes: Uint8Array, from: RemoteInfo) => {
        const answer = grantsPcp(bytes, from)
        if (answer instanceof Buffer) answer[24] = (answer[24] ?? 0) ^ 1
        return answer
      },
    ],
  ] as [string, Reply][])(
    'that answers %s counts as one that does not answer',
    async (_, reply) => {
      router.controlReply = reply
      expect(await outcome(startMapper(IMPATIENT))).toBe('NO_ANSWER')
    },
  )

  it('is not answered for by another port', async () => {
    const other = createSocket('udp4').bind(0, HOST)
    await once(other, 'listening')
    router.controlReply = (bytes, from) => {
      answerTo(other, grantsPcp(bytes, from), from)
      return null
    }
    expect(await outcome(startMapper(IMPATIENT))).toBe('NO_ANSWER')
    other.close()
  })

  // Only there a computer has more than one address of its own by itself.
  it.runIf(process.platform === 'linux')('is not answered for by another computer', async () => {
    speakUpnp()
    const { ssdpReply } = router
    const other = createSocket('udp4').bind(0, '127.0.0.2')
    await once(other, 'listening')
    router.ssdpReply = (bytes, from) => {
      answerTo(other, ssdpReply(bytes, from), from)
      return null
    }
    expect(await outcome(startMapper(IMPATIENT))).toBe('NO_ANSWER')
    other.close()
  })

  it.each([
    ['another computer', 'http://127.0.0.2:80/root.xml'],
    ['a name', 'http://localhost:80/root.xml'],
    ['a file', 'file:///etc/passwd'],
  ])('leads to %s, and nobody goes there', async (_, location) => {
    speakUpnp()
    announce(location)
    expect(await outcome(startMapper(IMPATIENT))).toBe('NO_ANSWER')
  })

  it.each<[string, (response: ServerResponse) => void]>([
    ['redirects', (response) => response.writeHead(302, { location: '/other.xml' }).end()],
    ['is no XML', (response) => response.end('<root><device>')],
    [
      'is huge',
      (response) => response.end(descriptionAt('/ctl', `<x>${'x'.repeat(1_000_000)}</x>`)),
    ],
    [
      'has thousands of tags',
      (response) => response.end(descriptionAt('/ctl', '<x/>'.repeat(3_000))),
    ],
    ['is deep', (response) => response.end('<a>'.repeat(10_000) + '</a>'.repeat(10_000))],
    [
      'has entities of its own',
      (response) => response.end(descriptionAt('/ctl', '<!DOCTYPE root [<!ENTITY more "x">]>')),
    ],
    ['gives no ports', (response) => response.end(descriptionAt('/ctl').replaceAll(SERVICE, 'x'))],
    ['leads elsewhere', (response) => response.end(descriptionAt('http://127.0.0.2/ctl'))],
    ['has a huge header', (response) => response.setHeader('x', 'x'.repeat(20_000)).end('<root/>')],
    ['is cut short', (response) => response.setHeader('content-length', 99).write('<root/>')],
  ])('has a description that %s, and is left alone', async (_, answer) => {
    announce()
    let fetched = 0
    router.httpReply = (__, ___, response) => {
      fetched++
      answer(response)
      if (!response.writableEnded) response.socket?.end()
    }
    expect(await outcome(startMapper())).toBe('BAD_ANSWER')
    expect(fetched).toBe(1)
    expect(router.actions).toEqual([])
  })

  it('drips its description, and is not waited for longer than some seconds', async () => {
    announce()
    router.httpReply = (_, __, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(drip))
    }
    const startedMs = performance.now()
    expect(await outcome(startMapper())).toBe('BAD_ANSWER')
    expect(performance.now() - startedMs).toBeLessThan(15_000)
  })

  it('refuses by a fault, or answers something else, and is left alone', async () => {
    for (const [xml, step] of [
      [faultTag(606), 'REFUSED'],
      [answerTag('DeletePortMapping'), 'BAD_ANSWER'],
    ] as const) {
      speakUpnp('/ctl', () => [500, xml])
      const mapper = startMapper()
      expect(await outcome(mapper)).toBe(step)
      await mapper.close()
    }
  })

  it('has an address outside that is none', async () => {
    speakUpnp()
    const { httpReply } = router
    router.httpReply = (request, body, response) => {
      if (!body.includes('u:GetExternalIPAddress')) return httpReply(request, body, response)
      const value = '<NewExternalIPAddress>router.example</NewExternalIPAddress>'
      response.end(answerTag('GetExternalIPAddress', value))
    }
    expect(await outcome(startMapper())).toBe('BAD_ANSWER')
    expect(router.actions).toEqual(['GetExternalIPAddress'])
  })
})

describe('the router of this computer', () => {
  const own = [{ host: '192.168.1.7', netmask: '255.255.255.0' }]
  const stepOf = (host: string | null): unknown => {
    try {
      return gatewayAmong(host, own)
    } catch (error) {
      return (error as MappingFailure).step
    }
  }

  it('is one in its own network, with a private address', () => {
    expect(stepOf('192.168.1.1')).toEqual({ host: '192.168.1.1', ownHost: '192.168.1.7' })
    expect(stepOf('192.168.2.1')).toBe('NO_ROUTER')
    expect(stepOf('11.1.1.1')).toBe('NO_NEED')
    expect(stepOf(null)).toBe('NO_ROUTER')
  })
})
