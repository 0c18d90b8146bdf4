import { expect, it } from 'vitest'
import { readDescription } from './igd-xml.ts'

it('a description names so many services that are looked at, and no more', () => {
  const service = '<service><serviceType>a</serviceType><controlURL>/b</controlURL></service>'
  const description = readDescription(`<root>${service.repeat(100)}</root>`)
  expect(description?.services).toHaveLength(64)
})
