import { expect, it } from 'vitest'
import { GatheredJudging } from './gathered-judging.ts'

interface Said {
  fits: boolean
  doubtful?: boolean
}

function start(verdictOf: (value: string, values: readonly string[]) => Said) {
  const asked: (readonly string[])[] = []
  let idle = 0
  const judging = new GatheredJudging<Said>({
    judge: async (values) => {
      asked.push(values)
      await new Promise((resolve) => setImmediate(resolve))
      return values.map((value) => verdictOf(value, values))
    },
    isDoubtful: ({ doubtful }) => doubtful === true,
    onIdle: () => idle++,
  })
  return { judging, asked, idle: () => idle }
}

it('gathers while a message is on its way, and answers each with its own verdict', async () => {
  const { judging, asked, idle } = start((value) => ({ fits: value !== 'bad' }))
  const first = judging.judge('first')
  await Promise.resolve()
  await Promise.resolve()
  const rest = ['a', 'bad', 'b'].map((value) => judging.judge(value))
  expect(await first).toEqual({ fits: true })
  expect(await Promise.all(rest)).toEqual([{ fits: true }, { fits: false }, { fits: true }])
  expect(asked).toEqual([['first'], ['a', 'bad', 'b']])
  expect(idle()).toBe(1)
})

it('judges a value again, alone, when another one’s may have spoilt its verdict', async () => {
  const { judging, asked } = start((value, values) =>
    values.includes('bomb') ? { fits: false, doubtful: true } : { fits: value !== 'bad' },
  )
  const all = await Promise.all(['good', 'bomb', 'bad'].map((value) => judging.judge(value)))
  expect(all).toEqual([{ fits: true }, { fits: false, doubtful: true }, { fits: false }])
  expect(asked).toEqual([['good', 'bomb', 'bad'], ['good'], ['bomb'], ['bad']])
})

it('sends no more in one message than a worker takes well', async () => {
  const { judging, asked } = start(() => ({ fits: true }))
  const large = 'x'.repeat(200_000)
  await Promise.all([large, large, 'small'].map((value) => judging.judge(value)))
  expect(asked.map((values) => values.map(({ length }) => length))).toEqual([
    [200_000],
    [200_000, 5],
  ])
})
