// The machines of the person in this cloud: which they are, to attest one more, and to revoke a lost one.
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { MachineInfo } from '../../../node-runtime/contract/machines.ts'
import { useCloud, useIdentity } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import { AcceptForm } from './accept-form.tsx'
import { AttestDialog, AttestForm } from './attest-form.tsx'
import { RevokeDialog } from './revoke-dialog.tsx'

function describeState({ self, online, revoked }: MachineInfo): string {
  if (revoked) return self ? 'This machine, revoked' : 'Revoked'
  return self ? 'This machine' : online ? 'Online' : 'Offline'
}

export function OwnMachines(): ReactNode {
  const person = useIdentity((state) => state.identity?.person)
  const machines = useCloud((state) => state.machines)
  const [asked, setAsked] = useState<{ what: 'revoke' | 'attest'; machine: MachineInfo } | null>(
    null,
  )
  if (person === undefined) return <Loading>Asking this machine</Loading>
  const own = machines.filter((machine) => machine.person === person)
  const close = (): void => setAsked(null)
  return (
    <>
      <p className="muted">
        What these machines write in this cloud is yours. Revoke one that you have lost: the others
        give it no links, and show nothing that it writes from then on.
      </p>
      <ul className="own-machines" aria-label="Your machines">
        {own.map((machine) => (
          <li key={machine.machine}>
            <span className="own-machine-name">
              <strong>{machine.name}</strong>
              <span className="muted">{describeState(machine)}</span>
            </span>
            <Fingerprint value={machine.machine} what="machine key" />
            <Button
              size="small"
              aria-label={`${machine.revoked ? 'Attest anew' : 'Revoke'}: ${machine.name}`}
              onClick={() => setAsked({ what: machine.revoked ? 'attest' : 'revoke', machine })}
            >
              {machine.revoked ? 'Attest anew' : 'Revoke'}
            </Button>
          </li>
        ))}
      </ul>
      {asked?.what === 'revoke' && <RevokeDialog machine={asked.machine} onClose={close} />}
      {asked?.what === 'attest' && <AttestDialog machine={asked.machine.machine} onClose={close} />}
      <AttestForm />
      <AcceptForm />
    </>
  )
}
