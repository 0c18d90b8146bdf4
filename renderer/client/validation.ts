// Imported before anything that declares a schema: the page's content security policy forbids code
// made from text, which the schema library would otherwise try for speed.
import * as z from 'zod'

z.config({ jitless: true })
