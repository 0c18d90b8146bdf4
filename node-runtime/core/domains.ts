// All that is signed and hashed, by name: what begins with one domain is never taken for what begins with
// another. A name that was given once means the same for ever (`docs/protocol.md`).

/** The kinds of signed forms; each is signed under its own domain. */
export type FormKind =
  | 'action'
  | 'admission'
  | 'attestation'
  | 'list'
  | 'machine'
  | 'publisher'
  | 'release'
  | 'release-revocation'
  | 'revocation'
  | 'successor'

/** What else is signed: the body of a record, that a machine runs a release, and whose a key is. */
type SignedKind = FormKind | 'punch-proof' | 'record' | 'relay-proof' | 'release-proof'

/** What is only hashed. */
type HashedKind =
  | 'action-hash'
  | 'attestation-hash'
  | 'broadcast'
  | 'content'
  | 'content-id'
  | 'genesis'
  | 'greeting-seal'
  | 'known'
  | 'lan'
  | 'list-draw'
  | 'list-key'
  | 'list-nonce'
  | 'list-tag'
  | 'meeting'
  | 'meeting-proof'
  | 'name'
  | 'parties'
  | 'person'
  | 'place'
  | 'relay'
  | 'ring'
  | 'rules'
  | 'schema'
  | 'session'
  | 'system-key'
  | 'topic'
  | 'transcript'
  | 'work'

export type Domain = `dharma/${SignedKind | HashedKind}/1`
