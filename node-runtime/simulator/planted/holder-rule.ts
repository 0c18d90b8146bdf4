// Which of two records wins depends on who holds them.
import { replaces } from '../../core/db/signed-record.ts'
import type { PlantedBug } from './planted.ts'

export const holderRule: PlantedBug = {
  name: 'rule that depends on the holder',
  plant: {
    replaces: (challenger, held, machine) => {
      const isDeleted = challenger.header.deleted === true
      // Every third machine keeps what others delete.
      return isDeleted && machine % 3 === 0 ? false : replaces(challenger, held)
    },
  },
  machines: 5,
  foundBy: ['not equal after healing', 'in step without being equal', 'acknowledged record lost'],
}
