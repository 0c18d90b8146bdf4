// What the person is told of records that this disk does not give any more.
import type { CloudNotice } from '../contract/cloud.ts'
import type { StoreDamage } from '../ports/record-store.ts'

/** However often something is found damaged, it is one damage that the person hears of. */
export function joinDamage(before: StoreDamage | null, damage: StoreDamage): StoreDamage {
  if (before === null) return damage
  if (before.lost === null || damage.lost === null) return { lost: null }
  return { lost: before.lost + damage.lost }
}

export function damageNotice({ lost }: StoreDamage): CloudNotice {
  const what =
    lost === null
      ? 'Records on this disk were damaged'
      : `${countOf(lost)} on this disk ${lost === 1 ? 'was' : 'were'} damaged`
  return {
    code: 'RECORDS_DAMAGED',
    message: `${what}. What other machines of the cloud hold comes back from them.`,
  }
}

export function putAsideNotice(records: number): CloudNotice {
  return {
    code: 'RECORDS_PUT_ASIDE',
    message:
      `${countOf(records)} on this disk, taken in by an older version of Dharma, did not hold by the rules of ` +
      'this one and can’t be shown or passed on. They stay on the disk, put aside; the others are as before.',
  }
}

function countOf(records: number): string {
  return records === 1 ? '1 record' : `${records} records`
}
