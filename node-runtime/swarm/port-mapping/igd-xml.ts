// What routers say in XML (UPnP Internet Gateway Device 1 and 2): which services they have, and what came of a request.
import { parseXml, XmlElement } from '@rgrove/parse-xml'

/** Ten times what the largest description has. It bounds how deep one can be, too. */
const MAX_TAGS = 2_000
const MAX_SERVICES = 64

export interface IgdService {
  /** Such as `urn:schemas-upnp-org:service:WANIPConnection:1`. */
  type: string
  controlUrl: string
}

export interface IgdDescription {
  services: IgdService[]
  /** To which URLs are relative, if it is not where the description lies. */
  baseUrl: string | null
}

/** Null for what is no XML. */
export function readDescription(xml: string): IgdDescription | null {
  const root = parse(xml)
  if (root === null) return null
  const services: IgdService[] = []
  let baseUrl: string | null = null
  walk(root, (element) => {
    if (element.name === 'URLBase') baseUrl ??= element.text.trim()
    if (element.name !== 'service' || services.length >= MAX_SERVICES) return
    const [type, controlUrl] = [childText(element, 'serviceType'), childText(element, 'controlURL')]
    if (type !== null && controlUrl !== null) services.push({ type, controlUrl })
  })
  return { services, baseUrl }
}

/** The services by which a router gives ports, the newest first. */
const MAPPING_SERVICES = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
]

export function mappingServices({ services }: IgdDescription): IgdService[] {
  return MAPPING_SERVICES.flatMap((wanted) => services.filter(({ type }) => type === wanted))
}

export type IgdAnswer =
  /** What the request gives back, by name. */
  { values: ReadonlyMap<string, string> } | { faultCode: number }

/** Null for what is no answer to this action. */
export function readAnswer(xml: string, action: string): IgdAnswer | null {
  const root = parse(xml)
  if (root === null) return null
  let answer: IgdAnswer | null = null
  walk(root, (element) => {
    if (answer !== null) return
    const name = localName(element)
    if (name === 'UPnPError') {
      const code = childText(element, 'errorCode') ?? ''
      if (/^\d{1,4}$/.test(code)) answer = { faultCode: Number(code) }
    } else if (name === `${action}Response`) {
      const values = new Map<string, string>()
      for (const child of elementsOf(element)) values.set(localName(child), child.text.trim())
      answer = { values }
    }
  })
  return answer
}

/** A request as SOAP. Its arguments are numbers, addresses and words of ours. */
export function writeRequest(
  { type }: IgdService,
  action: string,
  args: readonly (readonly [name: string, value: string | number])[],
): string {
  const words = args.map(([name, value]) => `<${name}>${escape(String(value))}</${name}>`)
  return (
    '<?xml version="1.0"?>\r\n' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action} xmlns:u="${type}">${words.join('')}</u:${action}></s:Body></s:Envelope>\r\n`
  )
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function parse(xml: string): XmlElement | null {
  let tags = 0
  for (let at = xml.indexOf('<'); at !== -1; at = xml.indexOf('<', at + 1)) {
    if (++tags > MAX_TAGS) return null
  }
  try {
    // Some routers end theirs with zeros.
    return parseXml(xml.replace(/[\0\s]+$/, '')).root
  } catch {
    // It is none, or has entities of its own.
    return null
  }
}

function walk(element: XmlElement, visit: (element: XmlElement) => void): void {
  const open = [element]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    visit(next)
    open.push(...elementsOf(next).reverse())
  }
}

function elementsOf(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => child instanceof XmlElement)
}

function childText(element: XmlElement, name: string): string | null {
  return (
    elementsOf(element)
      .find((child) => child.name === name)
      ?.text.trim() ?? null
  )
}

function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1)
}
