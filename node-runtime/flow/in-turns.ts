import { nextTurn } from './next-turn.ts'

/** Hands out what there is to do, so many at once; in between everything else has its turn. */
export async function* inTurns<T>(items: Iterable<T>, atOnce: number): AsyncGenerator<T, void> {
  let count = 0
  for (const item of items) {
    if (count > 0 && count % atOnce === 0) await nextTurn()
    count++
    yield item
  }
}
