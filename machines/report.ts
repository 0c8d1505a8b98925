/**
 * How a machine tells its parent a fact.
 */

interface Reporter<Report> {
  readonly _parent?: { send(event: Report): void };
}

/**
 * An action that sends `build(…)` to the parent, or nothing when it returns null.
 *
 * It is a plain action of ours: `sendParent` cannot be computed where there is no parent, and every machine
 * must run alone under `transition`, where this action is returned as data and not executed.
 */
export const reporter =
  <Context, Event, Report>() =>
  (build: (args: { context: Context; event: Event }) => Report | null) =>
  (args: { context: Context; event: Event; self: Reporter<Report> }): void => {
    const fact = build(args);
    if (fact !== null) args.self._parent?.send(fact);
  };

/** When an event happened; 0 for an order, which happens when it is carried out. */
export const atMsOf = (event: object): number =>
  'atMs' in event && typeof event.atMs === 'number' ? event.atMs : 0;
