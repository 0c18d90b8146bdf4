// What everything that decides looks like: a state machine without a world of its own. What happens
// comes in as an event, what is to be done goes out as effects; timers and requests are effects, too,
// and their answers are events. So one driver runs it on a machine, and a simulator runs thousands.
// Source of the shape: iroh-gossip's `state.rs` ("an IO-less state machine").

/** A decision-maker. It never waits, never throws, and asks nobody for the time. */
export interface Core<Event, Effect> {
  /**
   * Takes in what happened and says what is to be done, in order.
   * @param nowMs  monotonic ms: never goes back, begins anywhere. Events that need the time of day
   *   carry it themselves.
   */
  step(event: Event, nowMs: number): Effect[]
}
