import { ListTree } from 'lucide-react'
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { ListReport } from '../../../node-runtime/contract/lists.ts'
import { ListState } from '../../app/list-state.tsx'
import { useClient, useCloud, useShell } from '../../app/shell.tsx'
import { useConnectionReport } from '../../app/use-connection-report.ts'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Field, Toggle } from '../../ui/field.tsx'
import { Loading } from '../../ui/progress.tsx'

/** Which look-up lists of the cloud this machine reads, and which it writes to. */
export function LookUpLists(): ReactNode {
  const { report, error } = useConnectionReport()
  return (
    <>
      <p className="muted">
        A look-up list on a public place, such as a git repository, says where machines of this
        cloud are. By it they find each other even where nothing else helps. Only those who know the
        cloud can read it.
      </p>
      {error !== null && <ErrorNotice error={error} />}
      {report === null && error === null && <Loading>Asking this machine</Loading>}
      {report?.lists.length === 0 && (
        <EmptyState icon={<ListTree />} title="No list yet">
          Somebody of this cloud may know the address of one; put it in below.
        </EmptyState>
      )}
      {report !== null && report.lists.length > 0 && (
        <ul className="lists" aria-label="Look-up lists">
          {report.lists.map((list) => (
            <LookUpList key={list.url} list={list} />
          ))}
        </ul>
      )}
      <ListForm />
    </>
  )
}

function LookUpList({ list }: { list: ListReport }): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const { url, kind, keeps, hasAccess } = list
  const keep = useCall((on: boolean) => client.cloud.addList({ url, keeps: on }))
  const write = useCall(async () => {
    const { entries, pushed } = await client.cloud.pushList({ url })
    const many = entries === 1 ? 'one machine' : `${entries} machines`
    notices.say(pushed ? `The list was written: ${many}.` : `The list is as it should be: ${many}.`)
  })
  const remove = useCall(() => client.cloud.removeList({ url }))
  const error = keep.error ?? write.error ?? remove.error
  return (
    <li className="lists-item">
      <code className="settings-path">{url}</code>
      <ListState list={list} />
      {kind !== 'files' && (
        <Toggle
          label="Keep it up to date from this machine"
          description={
            hasAccess
              ? 'A name and a token are kept for it. They are sent there and nowhere else.'
              : 'This computer writes there with its own rights, such as those of its ssh keys.'
          }
          checked={keeps}
          disabled={keep.pending}
          onChange={(on) => void keep.run(on)}
        />
      )}
      <div className="row row-wrap">
        {kind !== 'files' && (
          <Button
            size="small"
            pending={write.pending}
            aria-label={`Write now to ${url}`}
            onClick={() => void write.run()}
          >
            Write now
          </Button>
        )}
        <Button
          size="small"
          look="quiet"
          pending={remove.pending}
          aria-label={`Remove ${url}`}
          onClick={() => void remove.run()}
        >
          Remove
        </Button>
      </div>
      {error !== null && <ErrorNotice error={error} />}
    </li>
  )
}

const NOTHING = { address: '', user: '', token: '' }

/** Reads a list from now on; whoever began the cloud can begin one. */
function ListForm(): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const originated = useCloud((state) => state.status?.originated ?? false)
  const [draft, setDraft] = useState(NOTHING)
  const [writes, setWrites] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const url = draft.address.trim()
  const access =
    writes && draft.token !== ''
      ? { access: { secret: draft.token, username: draft.user.trim() || 'git' } }
      : {}
  const add = useCall(() => client.cloud.addList({ url, ...access }))
  const begin = useCall(() => client.cloud.createList({ url, ...access }))
  const error = add.error ?? begin.error
  const isWrong = error?.code === 'LIST_URL_INVALID'
  const change = (changes: Partial<typeof NOTHING>): void => {
    setDraft({ ...draft, ...changes })
    setProblem(null)
    add.clear()
    begin.clear()
  }
  const run = async (call: typeof add, said: string): Promise<void> => {
    if (url === '') return setProblem('Put in the address of a list first.')
    if (!(await call.run())) return
    setDraft(NOTHING)
    notices.say(said)
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void run(add, 'The list is read from now on.')
      }}
    >
      <Field
        label="Address of a list"
        mono
        placeholder="https://host/list.git"
        hint="A git repository, over https, ssh or on this computer, or a folder on a web server."
        maxLength={1_000}
        value={draft.address}
        error={problem ?? (isWrong ? (error?.message ?? null) : null)}
        onChange={(event) => change({ address: event.target.value })}
      />
      <Toggle
        look="checkbox"
        label="I have a name and a token to write there"
        description="Needed only over https, and only to write. They are kept on this computer."
        checked={writes}
        onChange={setWrites}
      />
      {writes && (
        <div className="lists-access">
          <Field
            label="Name"
            placeholder="git"
            maxLength={200}
            value={draft.user}
            onChange={(event) => change({ user: event.target.value })}
          />
          <Field
            label="Password or token"
            type="password"
            maxLength={2_000}
            value={draft.token}
            onChange={(event) => change({ token: event.target.value })}
          />
        </div>
      )}
      <div className="row row-wrap">
        <Button type="submit" pending={add.pending}>
          Add list
        </Button>
        {originated && (
          <Button
            look="quiet"
            pending={begin.pending}
            onClick={() => void run(begin, 'The list was begun, and is kept up to date.')}
          >
            Begin a new list there
          </Button>
        )}
      </div>
      {error !== null && !isWrong && <ErrorNotice error={error} />}
    </form>
  )
}
