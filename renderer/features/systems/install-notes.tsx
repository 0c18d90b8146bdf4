// What installing would do to what is installed already: nothing, an update, or a second system with
// the same name.
import type { ReactNode } from 'react'
import type { SystemPreview } from '../../../node-runtime/contract/systems.ts'
import { systemAddress } from '../../client/address.ts'
import { Toggle } from '../../ui/field.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'

type Namesake = SystemPreview['namesakes'][number]

interface InstallNotesProps {
  preview: SystemPreview
  /** The keys of installed systems that are to go once this one is installed. */
  removing: readonly string[]
  disabled: boolean
  onRemoving: (removing: readonly string[]) => void
}

export function InstallNotes({
  preview,
  removing,
  disabled,
  onRemoving,
}: InstallNotesProps): ReactNode {
  return (
    <>
      {preview.installed !== null && <p className="install-note">{describeUpdate(preview)}</p>}
      {preview.namesakes.map((namesake) => {
        const { key } = namesake
        if (!isUnsignedCopy(namesake, preview)) {
          return (
            <p key={key} className="install-note">
              {describeNamesake(namesake, preview)} {describeNames(preview)}
            </p>
          )
        }
        const others = removing.filter((each) => each !== key)
        return (
          <UnsignedCopy
            key={key}
            namesake={namesake}
            preview={preview}
            removed={removing.includes(key)}
            disabled={disabled}
            onRemoved={(removed) => onRemoving(removed ? [...others, key] : others)}
          />
        )
      })}
      <CollectionChanges preview={preview} />
    </>
  )
}

function describeUpdate(preview: SystemPreview): string {
  const { installed, changes, version, commit, key, publisher } = preview
  if (installed === null) return ''
  if (installed.commit === commit)
    return `This version (${installed.version}) is installed already.`
  const step = `${installed.version} → ${version}`
  if (changes?.older === true) {
    return `${step}: this is an older version than the installed one. Its data stays.`
  }
  if (installed.key !== key) {
    return `${step}: it continues the installed system, under a new key. Its records stay.`
  }
  const same = publisher === null ? 'from the same address' : 'by the same publisher'
  return `${step}: an update ${same}. Its data stays.`
}

/** Has this been signed since it was installed from its address? */
function isUnsignedCopy(
  { sameAddress, continued, publisher }: Namesake,
  preview: SystemPreview,
): boolean {
  return publisher === null && preview.publisher !== null && (sameAddress || continued)
}

const BESIDE =
  'This one will be a second system beside it, and gets none of its data and permissions.'

/** The id alone says nothing: another author may have taken it. */
function describeNamesake(
  { name, url, sameAddress, publisher }: Namesake,
  { id, publisher: signer }: SystemPreview,
): string {
  if (sameAddress && publisher !== null) {
    const now = signer === null ? 'is not signed' : 'is signed by somebody else'
    return `What is installed from this address is signed by its publisher, and this ${now}: the address may be in other hands. ${BESIDE}`
  }
  return `Another system with the name ${id} from another author is installed: ${name}, from ${url}. ${BESIDE}`
}

/** Two with one id are told apart by their addresses. */
function describeNames({ id, host, installed }: SystemPreview): string {
  if (installed !== null) return ''
  return `Its address will be ${systemAddress(host)}; the name ${id} alone will mean neither of the two any more.`
}

interface UnsignedCopyProps {
  namesake: Namesake
  preview: SystemPreview
  removed: boolean
  disabled: boolean
  onRemoved: (removed: boolean) => void
}

/** The same repository, and to this machine another system: why, what that means, what can be done. */
function UnsignedCopy({
  namesake: { key, name, continued },
  preview,
  removed,
  disabled,
  onRemoved,
}: UnsignedCopyProps): ReactNode {
  return (
    <div className="install-note install-choice" role="note">
      <p>
        {`The ${name} that you have from this address is not signed; this one is. That makes two systems of them. `}
        {preview.installed === null && `${BESIDE} `}
        {describeNames(preview)}
      </p>
      {continued ? (
        <p>
          This version continues the unsigned one: it finds the records of that as soon as that is
          removed.
        </p>
      ) : (
        <>
          <p>
            Records of the unsigned one stay under it. Its author can have them found by this one:
            with “continues” in the manifest, and the key of the unsigned one.
          </p>
          <Fingerprint value={key} what="key of the unsigned one" />
        </>
      )}
      <Toggle
        look="checkbox"
        label="Remove the unsigned one once this is installed"
        description="Its records stay in the cloud. What its pages kept on this computer is deleted."
        checked={removed}
        disabled={disabled}
        onChange={onRemoved}
      />
    </div>
  )
}

/** A changed form hides what does not fit it; that must not come as a surprise. */
function CollectionChanges({ preview: { changes } }: { preview: SystemPreview }): ReactNode {
  const collections = changes?.collections.filter(({ change }) => change !== 'added') ?? []
  if (collections.length === 0) return null
  const changed = collections.filter(({ change }) => change === 'changed')
  const removed = collections.filter(({ change }) => change === 'removed')
  return (
    <div className="install-note" role="note">
      {changed.length > 0 && (
        <p>
          This version changes the form of{' '}
          {changed.length === 1 ? '1 collection' : `${changed.length} collections`}; records that do
          not fit are not shown: {listOf(changed)}.
        </p>
      )}
      {removed.length > 0 && (
        <p>
          It no longer has{' '}
          {removed.length === 1 ? 'this collection' : `these ${removed.length} collections`}, whose
          records are not shown: {listOf(removed)}.
        </p>
      )}
    </div>
  )
}

function listOf(collections: readonly { collection: string }[]): string {
  return collections.map(({ collection }) => collection).join(', ')
}
