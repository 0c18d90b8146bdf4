/**
 * The other side did what no honest machine does. A protocol's handler that throws this ends the link
 * for that, and the machine has to wait for its next one; whatever else it throws is our own mistake.
 */
export class PeerFault extends Error {}
