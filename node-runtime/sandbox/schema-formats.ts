// The values of JSON Schema's `format` that are checked, each in linear time.

/** A part of the worker's text; it uses nothing from outside itself. */
export function schemaFormats(): Record<string, (text: string) => boolean> {
  const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|([+-])(\d\d):(\d\d))$/i
  const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

  const isDate = (text: string): boolean => {
    const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
    if (match === null) return false
    const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
    const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
    const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0)
    return day >= 1 && day <= days
  }
  const isTime = (text: string): boolean => {
    const match = TIME.exec(text)
    if (match === null) return false
    const [hour, minute, second] = match.slice(1, 4).map(Number) as [number, number, number]
    const [offsetHour, offsetMinute] = [Number(match[5] ?? 0), Number(match[6] ?? 0)]
    if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return false
    if (second < 60) return true
    // A leap second, which is the last of a day in UTC.
    const sign = match[4] === '-' ? -1 : 1
    const utc = hour * 60 + minute - sign * (offsetHour * 60 + offsetMinute)
    return second === 60 && (utc + 2880) % 1440 === 1439
  }
  const isIpv4 = (text: string): boolean => {
    const parts = text.split('.')
    return (
      parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part < 256)
    )
  }
  const isIpv6 = (text: string): boolean => {
    if (text.length > 45) return false
    const halves = text.split('::')
    if (halves.length > 2) return false
    const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
    const last = groups.at(-1) ?? ''
    const dotted = last.includes('.') && !text.endsWith(':')
    if (dotted && !isIpv4(last)) return false
    const hex = dotted ? groups.slice(0, -1) : groups
    const count = hex.length + (dotted ? 2 : 0)
    if (!hex.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false
    return halves.length === 2 ? count < 8 : count === 8
  }
  const isHostname = (text: string): boolean =>
    text.length <= 253 && text.split('.').every((label) => LABEL.test(label))
  const isEmail = (text: string): boolean => {
    const at = text.lastIndexOf('@')
    if (at < 1 || at > 64) return false
    return (
      /^[^\s@"<>()[\]\\,;:.]+(\.[^\s@"<>()[\]\\,;:.]+)*$/.test(text.slice(0, at)) &&
      isHostname(text.slice(at + 1))
    )
  }
  const isReference = (text: string): boolean =>
    /^[\w\-.~:/?#[\]@!$&'()*+,;=%]*$/.test(text) && !/%(?![0-9a-f]{2})/i.test(text)
  const isDuration = (text: string): boolean =>
    /^P(?:\d+W|(?=\d|T)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$/.test(
      text,
    )

  return {
    date: isDate,
    time: isTime,
    'date-time': (text) =>
      /^.{10}t/i.test(text) && isDate(text.slice(0, 10)) && isTime(text.slice(11)),
    duration: isDuration,
    email: isEmail,
    hostname: isHostname,
    ipv4: isIpv4,
    ipv6: isIpv6,
    uri: (text) => /^[a-z][a-z0-9+.-]*:/i.test(text) && isReference(text),
    'uri-reference': isReference,
    uuid: (text) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text),
  }
}
