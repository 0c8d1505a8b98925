/**
 * A deliberate break of each guarantee, as an edit of the shipped source, and who notices.
 *
 * `npm run breaks` makes each edit in a copy, runs the tests that are named, and wants every one of them to fail.
 * What two means notice, one of them may miss some day.
 */

/** How a guarantee is held: exhaustive exploration, seeded simulation, real processes, or hostile input. */
export type Means = 'searched' | 'simulated' | 'processes' | 'input';

export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface Catch {
  readonly means: Means;
  readonly file: string;
  /** The tests of the file that are run: what their names begin with or contain. */
  readonly name: string;
}

export interface Break {
  readonly guarantee: `G${number}`;
  readonly happens: string;
  readonly edits: readonly Edit[];
  readonly caughtBy: readonly Catch[];
}

const searched = (name: string): Catch => ({
  means: 'searched',
  file: 'test/model/product.test.ts',
  name,
});
const simulated = (
  name = 'keeps its guarantees and is well again afterwards (seeds 1 to 250)',
  file = 'test/fault/world.test.ts',
): Catch => ({ means: 'simulated', file, name });
const processes = (file: string, name: string): Catch => ({
  means: 'processes',
  file: `test/process/${file}.test.ts`,
  name,
});

export const BREAKS: readonly Break[] = [
  {
    guarantee: 'G1',
    happens: 'the lock is given back while workers and a successor live',
    edits: [
      {
        file: 'machines/supervisor/setup.ts',
        from: "mayRelease: ({ context }) => isEmpty(context) && context.link === 'none',",
        to: 'mayRelease: () => true,',
      },
    ],
    caughtBy: [searched('(overlap, 1 worker)'), simulated()],
  },
  {
    guarantee: 'G2',
    happens: 'workers of a new generation are never told that they may serve',
    edits: [
      {
        file: 'machines/supervisor/slot-actions.ts',
        from: "        enqueue.sendTo(workerId(record), { type: 'worker.admit' });\n",
        to: '',
      },
    ],
    caughtBy: [
      searched('(overlap, 1 worker)'),
      simulated(),
      processes('reload', 'is replaced under load without a loss'),
    ],
  },
  {
    guarantee: 'G3',
    happens: 'an exclusive predecessor grants the takeover before its workers have left',
    edits: [
      {
        file: 'machines/reload/undecided.ts',
        from: "          { guard: 'isExclusive', target: 'draining' },\n",
        to: '',
      },
    ],
    caughtBy: [searched('(exclusive, 1 worker)'), simulated(), processes('reload-exclusive', 'S41')],
  },
  {
    guarantee: 'G4',
    happens: 'workers leave before the successor is in charge, in overlap mode too',
    edits: [
      {
        file: 'machines/supervisor/handoff.ts',
        from: "always: [{ guard: 'isExclusive', target: 'draining' }, { target: 'granting' }],",
        to: "always: [{ target: 'draining' }],",
      },
    ],
    caughtBy: [
      searched('(overlap, 1 worker)'),
      simulated(),
      processes('probation', 'that fails three times in a row brings the old generation back (overlap)'),
    ],
  },
  {
    guarantee: 'G5',
    happens: 'a refused reload is called promoted',
    edits: [
      {
        file: 'machines/supervisor/reload-actions.ts',
        from: 'lastReload: verdictOf(args, event.outcome, event.reason, event.detail),',
        to: "lastReload: verdictOf(args, 'promoted', null, null),",
      },
    ],
    caughtBy: [
      simulated(),
      processes('reload-refused', 'tells with status 4 that a worker of the new version crashed'),
    ],
  },
  {
    guarantee: 'G6',
    happens: 'a successor in charge waits for its predecessor without a limit',
    edits: [
      {
        file: 'machines/takeover/leaving.ts',
        from: "          guard: { type: 'isAlarm', params: { alarm: 'leave' } },\n          target: 'looking',",
        to: "          guard: { type: 'isAlarm', params: { alarm: 'commit' } },\n          target: 'looking',",
      },
    ],
    caughtBy: [
      searched('(overlap, 1 worker)'),
      simulated(),
      processes('reload-crash', 'is left behind when it serves beside the successor'),
    ],
  },
  {
    guarantee: 'G7',
    happens: 'workers that a killed successor has left behind are spared',
    edits: [
      {
        file: 'machines/reload/record-actions.ts',
        from: '      leftovers: context.workers,',
        to: '      leftovers: context.workers.slice(0, 0),',
      },
      {
        file: 'machines/supervisor/end-actions.ts',
        from: 'killLeftovers: enqueueActions(({ context, enqueue }) => {',
        to: 'killLeftovers: enqueueActions(({ context, enqueue }) => {\n      if (context.nextGeneration > 0) return;',
      },
    ],
    caughtBy: [searched('(overlap, 2 workers)'), simulated()],
  },
  {
    guarantee: 'G8',
    happens: 'a signal goes to whoever has the pid, without a look at when it started',
    edits: [
      {
        file: 'src/os/processes.ts',
        from: '    fields[START_TIME_FIELD] === startTime &&\n',
        to: '',
      },
      {
        file: 'src/testing/kernel.ts',
        from: 'leader.startTime !== startTime && this.#options.provesIdentity',
        to: 'false',
      },
      {
        file: 'src/testing/children.ts',
        from: "(found.startTime === startTime || off.has('identity'))",
        to: '(startTime !== undefined)',
      },
    ],
    caughtBy: [
      simulated('without identity', 'test/fault/safeguards.test.ts'),
      {
        means: 'processes',
        file: 'test/unit/processes.test.ts',
        name: 'does not reach a child that only has the pid of one that is gone',
      },
    ],
  },
  {
    guarantee: 'G9',
    happens: 'a line on the channel may be as long as it likes',
    edits: [
      {
        file: 'src/protocol/lines.ts',
        from: 'this.#maxLineBytes = maxLineBytes;',
        to: 'this.#maxLineBytes = maxLineBytes * 1_000;',
      },
    ],
    caughtBy: [
      { means: 'input', file: 'test/fuzz/channel.test.ts', name: 'costs one line of memory at most' },
      processes('floods', 'at the limit of a line keeps it'),
    ],
  },
  {
    guarantee: 'G10',
    happens: 'the recorder writes down another state than the machine is in',
    edits: [
      {
        file: 'src/journal/recorder.ts',
        from: '      from: machine.state,\n      to,\n',
        to: "      from: machine.state,\n      to: 'nowhere',\n",
      },
    ],
    caughtBy: [
      {
        means: 'input',
        file: 'test/unit/journal-recorder.test.ts',
        name: 'is every event in the order of cause and effect',
      },
      processes('journal', 'of a daemon'),
    ],
  },
];
