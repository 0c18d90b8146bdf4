import { expect, it } from 'vitest'
import { attestedWordOf } from './attested-text.ts'

const WORD = 'eyJhdHRlc3RhdGlvbiI6-_x9'

it.each([
  ['the word alone', WORD],
  ['the word in lines', ` ${WORD.slice(0, 7)}\n${WORD.slice(7)}\r\n`],
  ['the command', `dharma person accept ${WORD}`],
  [
    'the command in a clone, in lines',
    `npm run dharma -- person\naccept ${WORD.slice(0, 5)}\n${WORD.slice(5)}`,
  ],
  [
    'all that was printed',
    `On that machine, put this in. It is no secret.\n  dharma person accept ${WORD}\n`,
  ],
  ['JSON', `{"person":"y","machine":"z","expiresMs":1,"text":"${WORD}"}\n`],
  ['JSON in lines', `{"person": "y",\n "text" : "${WORD.slice(0, 9)}\n${WORD.slice(9)}"}`],
])('an attestation is found in what was pasted: %s', (_, pasted) => {
  expect(attestedWordOf(pasted)).toBe(WORD)
})

it.each(['', ' \n', '{"no": 1}', 'dharma person accept ', 'ey=J', '{"text":""}'])(
  'and none in %j',
  (pasted) => {
    expect(attestedWordOf(pasted)).toBeNull()
  },
)
