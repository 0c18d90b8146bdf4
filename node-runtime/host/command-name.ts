// What a person types to run the command line, for hints that name a command.

/** As this process was started: in a clone of Dharma the command is a script of its package. */
export const COMMAND =
  process.env['npm_lifecycle_event'] === 'dharma' ? 'npm run dharma --' : 'dharma'
