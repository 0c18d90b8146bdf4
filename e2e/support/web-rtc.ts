// Everything by which a page could reach the network through WebRTC, as a page does it.

/**
 * Runs in a page, so it stands alone. Tries STUN and TURN servers at these ports, and a peer said to
 * be there; from the page's own window and from a frame without an address.
 * @returns how many connections the page could make, each of them tried to its end
 */
export async function reachByWebRtc(ports: { udpPort: number; tcpPort: number }): Promise<number> {
  /** Servers that are silent are given up by the browser; this is longer than the first tries. */
  const LONGEST_MS = 3_000
  const { udpPort, tcpPort } = ports
  const account = { username: 'name', credential: 'word' }
  const servers: RTCIceServer[] = [
    { urls: `stun:127.0.0.1:${udpPort}` },
    { urls: `turn:127.0.0.1:${udpPort}?transport=udp`, ...account },
    { urls: `turn:127.0.0.1:${tcpPort}?transport=tcp`, ...account },
    { urls: `turns:127.0.0.1:${tcpPort}?transport=tcp`, ...account },
    { urls: `turn:localhost:${tcpPort}?transport=tcp`, ...account },
  ]
  const ended = (gathering: RTCPeerConnection): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, LONGEST_MS)
      gathering.addEventListener('icegatheringstatechange', () => {
        if (gathering.iceGatheringState === 'complete') resolve()
      })
    })

  const askServers = async (Peer: typeof RTCPeerConnection): Promise<void> => {
    const peer = new Peer({ iceServers: servers })
    peer.createDataChannel('out')
    const done = ended(peer)
    await peer.setLocalDescription(await peer.createOffer())
    await done
    peer.close()
  }
  const callPeer = async (Peer: typeof RTCPeerConnection): Promise<void> => {
    const [near, far] = [new Peer(), new Peer()]
    near.createDataChannel('out')
    await near.setLocalDescription(await near.createOffer())
    await far.setRemoteDescription(near.localDescription as RTCSessionDescription)
    await far.setLocalDescription(await far.createAnswer())
    await near.setRemoteDescription(far.localDescription as RTCSessionDescription)
    for (const where of [
      `udp 1 127.0.0.1 ${udpPort} typ host`,
      `tcp 1 127.0.0.1 ${tcpPort} typ host tcptype passive`,
    ]) {
      await near.addIceCandidate({ candidate: `candidate:1 1 ${where}`, sdpMLineIndex: 0 })
    }
    await new Promise((resolve) => setTimeout(resolve, LONGEST_MS))
    near.close()
    far.close()
  }

  const frame = document.createElement('iframe')
  document.body.append(frame)
  const inFrame = frame.contentWindow as (Window & typeof globalThis) | null
  let made = 0
  const makers = [RTCPeerConnection, inFrame?.RTCPeerConnection]
  await Promise.all(
    makers.flatMap((Peer) => {
      if (Peer === undefined) return []
      made += 1
      return [askServers(Peer), callPeer(Peer)]
    }),
  )
  frame.remove()
  return made
}
