// What installing would do to what is installed already: nothing, an update, or a second system with
// the same name.
import type { ReactNode } from 'react'
import type { SystemPreview } from '../../../node-runtime/contract/systems.ts'

export function InstallNotes({ preview }: { preview: SystemPreview }): ReactNode {
  return (
    <>
      {preview.installed !== null && <p className="install-note">{describeUpdate(preview)}</p>}
      {preview.namesakes.map((namesake) => (
        <p key={namesake.key} className="install-note">
          {describeNamesake(namesake, preview)}
        </p>
      ))}
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
  if (installed.key !== key) return `${step}: it continues the installed system, under a new key.`
  const same = publisher === null ? 'from the same address' : 'by the same publisher'
  return `${step}: an update ${same}. Its data stays.`
}

/** The id alone says nothing: another author may have taken it. */
function describeNamesake(
  { name, url }: SystemPreview['namesakes'][number],
  { id }: SystemPreview,
): string {
  return `Another system with the name ${id} from another author is installed: ${name}, from ${url}. This one will be a second system beside it, and gets none of its data and permissions.`
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
