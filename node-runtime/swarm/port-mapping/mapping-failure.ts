/** The router gave no port. */
export class MappingFailure extends Error {
  /** Such as `NO_ANSWER`, for programs. */
  readonly step: string

  /** @param message  what happened, and what can be done */
  constructor(step: string, message: string) {
    super(message)
    this.step = step
  }
}
