import { expect, test } from 'vitest'
import { CloudError } from '../contract/errors.ts'
import { fromWireError, toWireError } from './errors.ts'

test('an input that a service refuses arrives with the words of the service, whatever its details', () => {
  const refused = new CloudError('BAD_INPUT', 'The ids are computed: give none.', {
    issues: [{ path: 'id', message: 'not allowed' }],
  })
  expect(fromWireError(toWireError(refused)).toJSON()).toEqual(refused.toJSON())
})
