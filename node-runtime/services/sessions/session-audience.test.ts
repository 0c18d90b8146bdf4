import { describe, expect, it } from 'vitest'
import { until } from '../../testing/cloud-nodes.ts'
import { eachSessionCloud } from '../../testing/each-session-cloud.ts'
import { game } from '../../testing/session-machines.ts'
import type { SessionMachine } from '../../testing/session-machines.ts'
import { openBoth, play, watch, WINNING } from '../../testing/session-play.ts'

/** Who does not answer an audience in this time is not waited for. */
const ANSWER_LIMIT_MS = 2_000

const cloud = eachSessionCloud()

describe('the audience', () => {
  it('serves itself: a player gives as much to six as to one', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const watchers: SessionMachine[] = []
    for (let i = 0; i < 6; i++) watchers.push(await cloud.start())
    /**
     * Blocks that the busier player gave away, and the most it should: its own, and all once. Null if this
     * machine was so busy that a source seemed too slow: who was to ask it, or has it, may be a player's guest.
     */
    const uploaded = async (
      seed: string,
      audience: SessionMachine[],
    ): Promise<[number, number] | null> => {
      const session = await openBoth(game(seed, a, b), a, b)
      const boards = []
      const sourceOf = ({ sessions }: SessionMachine) => sessions.placeOf(session)?.source
      const sources: (string | null | undefined)[] = []
      let isLate = false
      for (const machine of audience) {
        const beganMs = performance.now()
        boards.push(await watch(machine, session))
        await until(() => sourceOf(machine) !== null)
        sources.push(sourceOf(machine))
        isLate ||= performance.now() - beganMs > ANSWER_LIMIT_MS
      }
      await play([a, b], session, WINNING)
      for (const { last } of boards) await until(() => last().ply === WINNING.length)
      if (isLate || audience.some((one, at) => sourceOf(one) !== sources[at])) return null
      for (const player of [a, b]) {
        expect(player.sessions.placeOf(session)?.children.length).toBeLessThanOrEqual(1)
      }
      const counts = [a, b].map(({ sessions }) =>
        sessions.uploads(session).reduce((sum, count) => sum + count.blocks, 0),
      )
      // Attestation, moves, agreement; and both logs once.
      const ownBlocks = Math.ceil(WINNING.length / 2) + 2
      return [Math.max(...counts), ownBlocks + WINNING.length + 4]
    }
    for (const audience of [watchers.slice(0, 1), watchers]) {
      let measured: [number, number] | null = null
      for (let round = 1; measured === null && round <= 5; round++) {
        measured = await uploaded(`${round} for ${audience.length}`, audience)
      }
      const [blocks, most] = measured ?? [NaN, NaN]
      expect(blocks).toBeGreaterThan(0)
      expect(blocks).toBeLessThanOrEqual(most)
    }
  }, 240_000)

  it('needs the system installed', async () => {
    const [a, b] = [await cloud.start(), await cloud.start()]
    const stranger = await cloud.start({ installed: false })
    const session = await openBoth(game('1', a, b), a, b)
    await expect(stranger.sessions.watch(session)).rejects.toMatchObject({
      code: 'SYSTEM_NOT_INSTALLED',
    })
  }, 60_000)
})
