import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPrivateIpv4, isPublicIpv4, parseIpv4 } from './ipv4.ts'
import { readNatPmpAnswer, writeAddressQuestion, writeMapQuestion } from './nat-pmp.ts'
import { readPcpAnswer, writePcpMap } from './pcp.ts'
import { gatewayOfProcRoutes, gatewayOfRouteGet, gatewayOfRoutePrint } from './routes.ts'
import { MAX_SSDP_BYTES, readRouterUrl, readSearchAnswer, writeSearch } from './ssdp.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const wish = { internalPort: 0xc001, externalPort: 0xc002, lifetimeS: 3_600 }
const anyBytes = fc.uint8Array({ maxLength: 1_200 })

describe('NAT-PMP', () => {
  it('questions are as RFC 6886 has them, figures 1 and 3', () => {
    expect(writeAddressQuestion()).toEqual(new Uint8Array([0, 0]))
    expect(Buffer.from(writeMapQuestion(wish))).toEqual(hex('00 01 0000 c001 c002 00000e10'))
  })

  it('answers are read as figures 2 and 4 have them', () => {
    expect(readNatPmpAnswer(hex('00 80 0000 00000007 0b010203'))).toEqual({
      op: 'address',
      result: 0,
      epochS: 7,
      host: '11.1.2.3',
    })
    expect(readNatPmpAnswer(hex('00 81 0000 00000007 c001 c002 00000e10'))).toEqual({
      op: 'map',
      result: 0,
      epochS: 7,
      ...wish,
    })
    // One that refuses needs no more than its result.
    expect(readNatPmpAnswer(hex('00 81 0002 00000007'))).toMatchObject({ op: 'map', result: 2 })
  })

  it('nothing whatever makes reading throw, and what is cut short is none', () => {
    fc.assert(fc.property(anyBytes, (bytes) => void readNatPmpAnswer(bytes)))
    const whole = hex('00 81 0000 00000007 c001 c002 00000e10')
    for (let length = 0; length < whole.length; length++) {
      expect(readNatPmpAnswer(whole.subarray(0, length))).toBeNull()
    }
    expect(readNatPmpAnswer(Buffer.concat([whole, Buffer.alloc(1)]))).toBeNull()
    expect(readNatPmpAnswer(hex('00 01 0000 00000007 c001 c002 00000e10'))).toBeNull()
    expect(readNatPmpAnswer(hex('02 81 0000 00000007 c001 c002 00000e10'))).toBeNull()
  })
})

describe('PCP', () => {
  const nonce = Buffer.from('0123456789ab')
  const answer = hex(
    `02 81 00 00 00000e10 00000007 ${'00'.repeat(12)} ${nonce.toString('hex')} 11 000000 c001 c002 ` +
      `${'00'.repeat(10)} ffff 0b010203`,
  )

  it('a request is as RFC 6887 has it, figures 2 and 9', () => {
    expect(Buffer.from(writePcpMap({ ...wish, clientHost: '192.168.1.7', nonce }))).toEqual(
      hex(
        `02 01 0000 00000e10 ${'00'.repeat(10)} ffff c0a80107 ${nonce.toString('hex')} 11 000000 c001 c002 ` +
          `${'00'.repeat(10)} ffff 00000000`,
      ),
    )
    expect(() => writePcpMap({ ...wish, clientHost: 'router', nonce })).toThrow(TypeError)
  })

  it('an answer is read as figures 3 and 10 have it, with options left out', () => {
    const read = {
      op: 'map',
      result: 0,
      epochS: 7,
      lifetimeS: 3_600,
      nonce: new Uint8Array(nonce),
      internalPort: 0xc001,
      externalPort: 0xc002,
      externalHost: '11.1.2.3',
    }
    const plain = (bytes: Uint8Array) => {
      const got = readPcpAnswer(bytes)
      return got?.op === 'map' ? { ...got, nonce: new Uint8Array(got.nonce) } : got
    }
    expect(plain(answer)).toEqual(read)
    expect(plain(Buffer.concat([answer, hex('02 00 0004 00000000')]))).toEqual(read)
    const v6 = Buffer.from(answer)
    v6[44] = 0x20
    expect(plain(v6)).toEqual({ ...read, externalHost: null })
  })

  it('a router that speaks another version says so in its own form, or in this one', () => {
    expect(readPcpAnswer(hex('00 80 0001 00000007'))).toEqual({ op: 'unsupported' })
    expect(readPcpAnswer(hex('01 81 00 01 00000007'))).toEqual({ op: 'unsupported' })
    expect(readPcpAnswer(hex('00 80 0000 00000007 0b010203'))).toBeNull()
  })

  it('nothing whatever makes reading throw, and what is cut short or of another kind is none', () => {
    fc.assert(fc.property(anyBytes, (bytes) => void readPcpAnswer(bytes)))
    for (let length = 0; length < answer.length; length++) {
      expect(readPcpAnswer(answer.subarray(0, length))).toBeNull()
    }
    expect(readPcpAnswer(Buffer.concat([answer, Buffer.alloc(1_100)]))).toBeNull()
    for (const [at, value] of [
      [0, 3],
      [1, 1],
      [1, 0x82],
      [36, 6],
    ] as const) {
      const other = Buffer.from(answer)
      other[at] = value
      expect(readPcpAnswer(other)).toBeNull()
    }
  })
})

describe('SSDP', () => {
  const lines = [
    'HTTP/1.1 200 OK',
    'CACHE-CONTROL: max-age=120',
    'st: urn:schemas-upnp-org:device:InternetGatewayDevice:1',
    'Location: http://192.168.1.1:5000/rootDesc.xml',
    'EXT:',
  ]
  const answer = (all: readonly string[]): Buffer => Buffer.from(`${all.join('\r\n')}\r\n\r\n`)

  it('a search asks for gateways, and an answer says where the description is', () => {
    expect(text(writeSearch(1))).toBe(
      'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n' +
        'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n',
    )
    expect(readSearchAnswer(answer(lines))).toBe('http://192.168.1.1:5000/rootDesc.xml')
  })

  it('what is no answer of a gateway is none', () => {
    const without = (start: string): string[] => lines.filter((line) => !line.startsWith(start))
    expect(readSearchAnswer(answer(without('Location')))).toBeNull()
    expect(readSearchAnswer(answer(without('st')))).toBeNull()
    expect(readSearchAnswer(answer(['HTTP/1.1 404 No', ...lines.slice(1)]))).toBeNull()
    expect(
      readSearchAnswer(answer([...lines.slice(0, 2), 'nonsense', ...lines.slice(2)])),
    ).toBeNull()
    expect(readSearchAnswer(answer([...lines, `x: ${'x'.repeat(MAX_SSDP_BYTES)}`]))).toBeNull()
    fc.assert(fc.property(anyBytes, (bytes) => void readSearchAnswer(bytes)))
  })

  it('a URL leads to the router by its address, over HTTP, or is none', () => {
    const host = '192.168.1.1'
    expect(readRouterUrl(`http://${host}:5000/x.xml`, host)?.port).toBe('5000')
    const base = new URL(`http://${host}:5000/dir/x.xml`)
    expect(readRouterUrl('/ctl', host, base)?.href).toBe(`http://${host}:5000/ctl`)
    for (const url of [
      'https://192.168.1.1/x.xml',
      'http://192.168.1.2/x.xml',
      'http://router/x.xml',
      'http://192.168.1.1.example.org/x.xml',
      'http://me:secret@192.168.1.1/x.xml',
      'file:///etc/passwd',
      '/ctl',
      '//192.168.1.2/ctl',
      `http://192.168.1.1/${'x'.repeat(600)}`,
    ]) {
      expect(readRouterUrl(url, host)).toBeNull()
    }
    expect(readRouterUrl('//192.168.1.2/ctl', host, base)).toBeNull()
    const part = fc.constantFrom(
      'http:',
      '//',
      '/',
      '@',
      host,
      '192.168.1.2',
      ':80',
      '#',
      '\\',
      '?',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (url) => {
          const read = readRouterUrl(url, host, base)
          expect(read === null || read.hostname === host).toBe(true)
        },
      ),
    )
  })
})

describe('addresses', () => {
  it('are four numbers, and nothing else', () => {
    expect(parseIpv4('10.0.255.1')).toEqual(new Uint8Array([10, 0, 255, 1]))
    for (const none of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '0x1.2.3.4', '1.2.3.4 '])
      expect(parseIpv4(none)).toBeNull()
    fc.assert(
      fc.property(fc.ipV4(), (host) => {
        expect([...(parseIpv4(host) ?? [])].join('.')).toBe(host)
      }),
    )
  })

  it('are private, public or neither', () => {
    for (const host of ['10.1.2.3', '100.64.0.1', '169.254.9.9', '172.31.0.1', '192.168.255.255']) {
      expect([isPrivateIpv4(host), isPublicIpv4(host)]).toEqual([true, false])
    }
    for (const host of ['8.8.8.8', '100.128.0.1', '172.32.0.1', '192.169.0.1', '223.1.1.1']) {
      expect([isPrivateIpv4(host), isPublicIpv4(host)]).toEqual([false, true])
    }
    for (const host of ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', 'router']) {
      expect([isPrivateIpv4(host), isPublicIpv4(host)]).toEqual([false, false])
    }
  })
})

describe('the router out of the table of routes', () => {
  it('of Linux', () => {
    const table = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
      'eth0\t00000000\tFE01A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
      'tun0\t00000000\t01000A0A\t0003\t0\t0\t50\t00000080\t0\t0\t0',
      'tun1\t00000000\t00000000\t0001\t0\t0\t1\t00000000\t0\t0\t0',
      'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
    ].join('\n')
    expect(gatewayOfProcRoutes(table)).toBe('192.168.1.254')
    expect(gatewayOfProcRoutes(table.split('\n')[0] ?? '')).toBeNull()
  })

  it('of macOS', () => {
    const said =
      '   route to: default\ndestination: default\n    gateway: 192.168.1.254\n  interface: en0\n'
    expect(gatewayOfRouteGet(said)).toBe('192.168.1.254')
    expect(gatewayOfRouteGet('    gateway: link#14\n')).toBeNull()
  })

  it('of Windows, in any language', () => {
    const said = [
      'Aktive Routen:',
      '     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik',
      '          0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.20     50',
      '          0.0.0.0          0.0.0.0    192.168.1.254     192.168.1.21     25',
      '          0.0.0.0          0.0.0.0   Auf Verbindung         10.0.0.1      1',
    ].join('\r\n')
    expect(gatewayOfRoutePrint(said)).toBe('192.168.1.254')
  })

  it('nothing whatever makes reading throw', () => {
    const row = fc.array(
      fc.oneof(fc.constantFrom('00000000', '0.0.0.0', '0003', '0101A8C0'), fc.string()),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        const table = rows.map((words) => words.join('\t')).join('\n')
        for (const read of [gatewayOfProcRoutes, gatewayOfRouteGet, gatewayOfRoutePrint]) {
          const host = read(table)
          expect(host === null || parseIpv4(host) !== null).toBe(true)
        }
      }),
    )
  })
})
