// Keeps the pages of systems off the network. Their policy stops what has an address; WebRTC has a
// way of its own and asks no policy, so it is left without any way at all.
//
// Not closed: a page can still have names looked up (by `<link rel="dns-prefetch">`, or as a TURN
// server), and so tell a name server a few letters. Chromium has no switch for that in one session.
import type { Session, WebContents } from 'electron'

/** Port 1 of this computer, at which nothing answers: whatever may go through a proxy ends there. */
const NOWHERE = 'http://127.0.0.1:1'
/** Without it, addresses of this computer would go around the proxy. */
const NOTHING_AROUND = '<-loopback>'

/**
 * Leaves all connections of a session's pages nowhere to go, those of WebRTC over TCP among them.
 * `cloud:` is served inside and knows no proxy.
 */
export function closeNetwork(session: Session): Promise<void> {
  return session.setProxy({
    mode: 'fixed_servers',
    proxyRules: NOWHERE,
    proxyBypassRules: NOTHING_AROUND,
  })
}

/** WebRTC sends no UDP beside the proxy, and through it there is no UDP. For all frames of the page. */
export function keepFromPeers(contents: WebContents): void {
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp')
}
