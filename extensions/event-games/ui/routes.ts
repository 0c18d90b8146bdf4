// The addresses of the system, and which page is at each.

export type Route =
  | { page: 'events' }
  | { page: 'new-event' }
  | { page: 'event'; event: string }
  | { page: 'live' }
  | { page: 'game'; session: string }
  | { page: 'results' }
  | { page: 'replay'; session: string }
  | { page: 'unknown' }

/** The route of a path such as `/events/7?x=1`. */
export function routeOf(path: string): Route {
  const [place = '/'] = path.split(/[?#]/)
  const [first, second, ...rest] = place.split('/').filter((part) => part !== '')
  if (rest.length > 0) return { page: 'unknown' }
  const name = second === undefined ? undefined : decode(second)
  if (name === undefined) {
    if (first === undefined || first === 'events') return { page: 'events' }
    if (first === 'live' || first === 'results') return { page: first }
    return { page: 'unknown' }
  }
  if (first === 'events')
    return name === 'new' ? { page: 'new-event' } : { page: 'event', event: name }
  if (first === 'games') return { page: 'game', session: name }
  if (first === 'replay') return { page: 'replay', session: name }
  return { page: 'unknown' }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const pathOf = {
  event: (id: string): string => `/events/${encodeURIComponent(id)}`,
  game: (session: string): string => `/games/${session}`,
  replay: (session: string): string => `/replay/${session}`,
}
