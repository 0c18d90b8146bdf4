// `--list`: the address of a look-up list.
import { parseListAddress } from '../core/finding/list-address.ts'

/** As it is kept. @throws CloudError LIST_URL_INVALID */
export function parseListUrl(text: string): string {
  return parseListAddress(text).url
}
