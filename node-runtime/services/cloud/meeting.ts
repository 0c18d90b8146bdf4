// What two machines say to each other where an invitation brings them together: one shows that it has the
// invitation, is told what the cloud is, and, if its person wants that, is let in.
import * as z from 'zod'
import type { InvitationOffer } from '../../contract/cloud.ts'
import { CloudError } from '../../contract/errors.ts'
import { keySchema, MAX_FORM_CHARS, timeMsSchema } from '../../contract/values.ts'
import { MAX_CHAIN, openInvitation, readChain } from '../../core/admission/admission-form.ts'
import { meetingKeys, proveInvitation } from '../../core/admission/invitation.ts'
import type { InvitationSecret } from '../../core/admission/invitation.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import type { Attestation } from '../../core/forms/attestation.ts'
import { openGenesis } from '../../core/forms/genesis.ts'
import { addressSchema } from '../../core/forms/machine-form.ts'
import { signedFormSchema } from '../../core/forms/signed-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import { Frames, TalkEnded } from '../../swarm/frames.ts'
import type { Swarm } from '../../swarm/swarm.ts'

/** Of the whole talk: the other person is not asked in between. */
export const TALK_LIMIT_MS = 20_000
/** A genesis, and a chain of the greatest length. */
const MAX_MESSAGE_BYTES = 65_536

const FAULTS = ['used-up', 'expired', 'withdrawn', 'not-in', 'too-deep', 'forged'] as const
export type MeetingFault = (typeof FAULTS)[number]

const messageSchema = z.discriminatedUnion('step', [
  z.object({ step: z.literal('knock'), proof: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.object({
    step: z.literal('offer'),
    cloud: keySchema,
    genesis: z.string().max(MAX_FORM_CHARS),
    person: keySchema,
    name: z.string().max(60),
    expiresMs: timeMsSchema,
    machine: keySchema,
    addresses: z.array(addressSchema).max(4),
  }),
  z.object({ step: z.literal('accept'), attestation: signedFormSchema }),
  z.object({
    step: z.literal('admitted'),
    /** Null where the cloud asks for none. */
    chain: z.array(signedFormSchema).max(MAX_CHAIN).nullable(),
    /** Where there is no chain: who invited whom. Versions before 0.4 do not say it. */
    invitation: signedFormSchema.optional(),
  }),
  z.object({ step: z.literal('refused'), fault: z.enum(FAULTS).catch('not-in') }),
])
export type MeetingMessage = z.infer<typeof messageSchema>
export const meetingCodec = jsonCodec(messageSchema, MAX_MESSAGE_BYTES)

const WORDS: Record<MeetingFault, string> = {
  'used-up': 'This invitation was used as often as it may be. Ask for another one.',
  expired: 'This invitation has expired. Ask for another one.',
  withdrawn: 'This invitation was withdrawn. Ask for another one.',
  'not-in': 'The machine that gave this invitation cannot let anybody in. Ask somebody else.',
  'too-deep':
    'The machine that gave this invitation is too many invitations away from the cloud’s owner. Ask somebody nearer.',
  forged: 'The other machine did not take what this one showed. This is a fault of Dharma.',
}

const NO_ANSWER =
  'The machine that gave this invitation does not answer. It must be on while you join; the invitation ' +
  'may also have been withdrawn, or a word of it be wrong or in another place.'
const NO_DHT =
  'The machine that gave this invitation could not be looked for: no node of the DHT answers, by which machines ' +
  'find each other. Is this computer connected to the internet? A cloud that has a DHT of its own is reached ' +
  'with the --bootstrap that its machines have.'

/** What came of an invitation. */
export interface Admitted {
  offer: InvitationOffer
  genesis: string
  /** Of the genesis. */
  keys: readonly string[]
  chain: SignedForm[] | null
  /** Who invited this person, where there is no chain. */
  invitation: SignedForm | null
  /** Of the one that gave the invitation, and where it is. */
  machine: string
  addresses: readonly MachineAddress[]
}

export interface MeetingOptions {
  swarm: Pick<Swarm, 'dialUnder' | 'dhtOnline'>
  machine: string
  secret: InvitationSecret
}

/** What the invitation leads to. It changes nothing. @throws CloudError INVITATION_INVALID, PEER_UNREACHABLE */
export async function readOffer(options: MeetingOptions): Promise<InvitationOffer> {
  return talk(options, async (_frames, { offer }) => offer)
}

/**
 * Comes in by the invitation: it is used up by that, once for each person.
 * @param attest  the person's word that this machine is theirs in that cloud
 * @throws CloudError INVITATION_INVALID, PEER_UNREACHABLE
 */
export async function acceptOffer(
  options: MeetingOptions,
  attest: (cloud: string) => Promise<Attestation>,
): Promise<Admitted> {
  return talk(options, async (frames, came) => {
    const { form, person } = await attest(came.offer.cloud)
    frames.send({ step: 'accept', attestation: form })
    const answer = await frames.next()
    if (answer.step === 'refused') throw refusal(answer.fault)
    if (answer.step !== 'admitted') throw new TalkEnded('a message is out of turn')
    const { chain } = answer
    const invitation = answer.invitation ?? null
    const { cloud } = came.offer
    if (chain !== null && readChain(chain, { cloud, person, keys: came.keys }) === null) {
      throw new CloudError(
        'INVITATION_INVALID',
        'The machine that gave this invitation answered with an admission that does not hold. Ask somebody else.',
        { fault: 'admission' },
      )
    }
    // Where nothing is asked at the door, one that does not hold is as good as none.
    const invited = invitation === null ? null : openInvitation(invitation, cloud)
    return { ...came, chain, invitation: invited?.person === person ? invitation : null }
  })
}

type Came = Omit<Admitted, 'chain' | 'invitation'>

async function talk<T>(
  { swarm, machine, secret }: MeetingOptions,
  then: (frames: Frames<MeetingMessage>, came: Came) => Promise<T>,
): Promise<T> {
  const { seed, addresses } = secret
  const connection = await swarm.dialUnder(meetingKeys(seed).publicKey, addresses)
  const frames = new Frames(connection, meetingCodec, TALK_LIMIT_MS)
  try {
    await frames.opened()
    const { handshakeHash } = connection
    frames.send({ step: 'knock', proof: proveInvitation(seed, { handshakeHash, machine }) })
    const answer = await frames.next()
    if (answer.step === 'refused') throw refusal(answer.fault)
    return await then(frames, readCame(answer))
  } catch (error) {
    if (!(error instanceof TalkEnded)) throw error
    const { dhtOnline: dht } = swarm
    throw new CloudError(
      'PEER_UNREACHABLE',
      dht === true ? NO_ANSWER : NO_DHT,
      { reason: error.message, dht },
      { cause: error },
    )
  } finally {
    frames.close()
  }
}

function readCame(answer: MeetingMessage): Came {
  const genesis = answer.step === 'offer' ? openGenesis(answer.genesis, answer.cloud) : null
  if (answer.step !== 'offer' || genesis === null) throw new TalkEnded('a message is out of turn')
  const { cloud, person, name, expiresMs, machine, addresses } = answer
  return {
    offer: {
      cloud,
      name: genesis.name,
      inviter: { person, name },
      expiresMs,
    },
    genesis: answer.genesis,
    keys: genesis.keys,
    machine,
    addresses,
  }
}

function refusal(fault: MeetingFault): CloudError {
  return new CloudError('INVITATION_INVALID', WORDS[fault], { fault })
}
