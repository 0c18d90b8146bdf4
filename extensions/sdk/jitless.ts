// Tells the schema library not to compile validators: a system's page may not evaluate code (CSP).
// It must be imported before anything that declares a schema.
import * as z from 'zod'

z.config({ jitless: true })
