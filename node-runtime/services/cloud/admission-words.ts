// What lets this machine into its cloud, or why it is left outside, and whom it can't invite, in words.
import type { AdmissionReport, ConnectionReport } from '../../contract/connection.ts'
import type { AdmissionKind } from '../../core/admission/pass.ts'

const ASKED: Record<AdmissionReport['kind'], string> = {
  link: 'No machine has said yet how this cloud lets others in. Unless one does, whoever knows its key may come in.',
  open: 'Whoever knows the key of this cloud and does a moment of work may come in; this machine has done it.',
  invitation: 'Whom somebody of this cloud lets in may come in; this person was let in.',
  release: 'Builds of this cloud’s owner may come in; this machine runs one.',
  unknown: 'This cloud lets machines in by a way of a later version of Dharma.',
}

/** What the person of a machine is told that they have revoked. */
export const REVOKED =
  'Your recovery phrase was used to revoke this machine. The others give it no links, and do not show ' +
  'what it writes. If it is in your hands, attest it anew with the phrase, on the Settings page.'

const FAULTS: Record<string, string> = {
  MACHINE_REVOKED: REVOKED,
  INVITER_REVOKED:
    'The machine that gave the invitation by which this person came, or one by which that came, was revoked before. Ask somebody who is in the cloud for another invitation.',
  TOO_BUSY:
    'Where this machine is, too many showed what did not let them in. It is tried again after a while by itself.',
  KIND_UNKNOWN:
    'This cloud lets machines in by a way that this version of Dharma does not know. Install the newest one.',
  WORK_MISSING: 'This cloud asks machines for a moment of work, which is not done yet.',
  INVITATION_MISSING:
    'This cloud is by invitation. Ask somebody who is in it for a link or a code, and join with that.',
  INVITATION_INVALID:
    'The invitation by which this machine came does not hold for its person. Ask somebody who is in the cloud for another.',
  RELEASE_MISSING:
    'Only builds of this cloud’s owner come in, and this is none. Ask the owner for the app, or for a release file.',
  RELEASE_INVALID: 'The release that this machine runs is none of this cloud. Ask its owner.',
  RELEASE_EXPIRED:
    'The release that this machine runs has expired. Install the newest one of this cloud’s owner.',
  RELEASE_REVOKED:
    'The owner of this cloud took back the release that this machine runs. Install the newest one.',
}

export function reportAdmission(report: AdmissionReport): ConnectionReport['admission'] {
  const said = describe(report)
  // It may be a lie: nobody else has to agree.
  const message = report.hearsay
    ? `One machine turned this one away. It has not proved that it speaks for the cloud: whoever knows the cloud’s key can say so. It says: “${said}” The others are asked all the same; the first that lets this machine in ends this.`
    : said
  return { ...report, message }
}

function describe({ kind, state, fault }: AdmissionReport): string {
  if (state === 'working') return 'This cloud asks machines for a moment of work; it is being done.'
  return fault === null ? ASKED[kind] : describeFault(fault)
}

function describeFault(fault: string): string {
  return FAULTS[fault] ?? `Other machines do not let this one in (${fault}).`
}

/**
 * Why this machine can let in nobody, and what the person can do.
 * @param fault  why it would not be let in itself; null if it is
 */
export function whyNoInvitation(
  kind: AdmissionKind | null,
  fault: string | null,
  isOwner: boolean,
): string {
  if (kind === 'release' && fault !== 'MACHINE_REVOKED') {
    return `Nobody is invited into this cloud: it is for releases. ${
      isOwner
        ? 'Make one, in the settings or with "cloud release", and give it to whom you want to let in.'
        : 'Ask its owner for one.'
    }`
  }
  if (fault !== null) {
    return `This machine cannot invite, since it is not let in itself. ${describeFault(fault)}`
  }
  return 'This machine cannot invite: too many stand between its person and the owner. Ask one of those to.'
}
