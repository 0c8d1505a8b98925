/**
 * Both sides of a reload at once: the two shipped machines, joined by two message queues, a token and two life
 * pipes, where either process may be killed or hang at any step, and every alarm may fire at any time.
 *
 * Supervisors and workers are reduced to what a reload sees of them.
 */
import type { Handoff } from '../../machines/policy.js';
import { reloadMachine } from '../../machines/reload.js';
import { takeoverMachine } from '../../machines/takeover.js';
import { type Automaton, automaton } from './automaton.js';
import { begin, type Order, type PlainEvent } from './drive.js';
import { settingsWith } from './settings.js';

type Life = 'alive' | 'hung' | 'dead';

/**
 * Workers of one generation: `starting` and `ready` ones do not serve yet, `orphaned` ones serve though their
 * supervisor is gone, `lost` ones do not, and both end by themselves.
 */
type Workers = 'starting' | 'ready' | 'serving' | 'draining' | 'failed' | 'orphaned' | 'lost' | 'none';

export interface World {
  readonly p: {
    readonly life: Life;
    readonly machine: number;
    /** `relieved`: told that the successor is in charge; `back`: the reload was refused or rolled back. */
    readonly role: 'serving' | 'relieved' | 'back';
    readonly stops: number;
    readonly workers: Workers;
    readonly sawExit: boolean;
    readonly sawDeparture: boolean;
  };
  readonly s: {
    readonly life: Life;
    readonly machine: number;
    readonly inCharge: boolean;
    readonly committed: boolean;
    readonly stops: number;
    readonly workers: Workers;
    readonly charging: boolean;
    readonly sawEnd: boolean;
    readonly sawDeparture: boolean;
  };
  readonly toP: readonly string[];
  readonly toS: readonly string[];
  /** Messages to be read before `inbox.empty`; null when nobody has asked. */
  readonly inboxP: number | null;
  readonly inboxS: number | null;
  readonly token: 'there' | 'p' | 's';
  readonly faults: {
    readonly kills: number;
    readonly hangs: number;
    readonly fails: number;
    readonly stops: number;
  };
}

export interface Move {
  readonly name: string;
  /** Nobody's doing: what must not be needed for everything to come right. */
  readonly isFault: boolean;
  readonly world: World;
}

const AT = { atMs: 1 };
const PID = 201;
const fact = (type: string, more: object = {}): PlainEvent => ({ type, ...more, ...AT });

const HEARD_BY_P: Readonly<Record<string, PlainEvent>> = {
  takeover: fact('takeover.requested'),
  failed: fact('successor.failed', { reason: 'worker-exited', detail: '' }),
  committed: fact('successor.committed'),
  stop: fact('stop.relayed'),
};

const HEARD_BY_S: Readonly<Record<string, PlainEvent>> = {
  granted: fact('predecessor.granted'),
  draining: fact('predecessor.draining'),
  drained: fact('predecessor.drained'),
  anchored: fact('predecessor.anchored', { pid: 100, startTime: '1' }),
  stop: fact('stop.relayed'),
};

const gone = (workers: Workers): Workers => {
  if (workers === 'none') return 'none';
  return workers === 'serving' || workers === 'draining' || workers === 'orphaned' ? 'orphaned' : 'lost';
};

const pDies = (world: World): World => ({
  ...world,
  p: { ...world.p, life: 'dead', workers: gone(world.p.workers) },
  toP: [],
  inboxP: null,
});
const sDies = (world: World): World => ({
  ...world,
  s: { ...world.s, life: 'dead', charging: false, workers: gone(world.s.workers) },
  toS: [],
  inboxS: null,
});

export const isActive = (workers: Workers): boolean => ['serving', 'draining', 'orphaned'].includes(workers);

const LIVING: readonly Workers[] = ['starting', 'ready', 'serving', 'draining', 'failed', 'orphaned', 'lost'];

export interface Product {
  readonly start: World;
  readonly moves: (world: World) => readonly Move[];
  readonly problems: (world: World) => readonly string[];
  /** Nothing of the reload is left to be done, or nobody is left to do it. */
  readonly isSettled: (world: World) => boolean;
  readonly describe: (world: World) => string;
}

export interface ProductOptions {
  readonly handoff: Handoff;
  readonly probationMs: number;
  /** The predecessor is the first process, and stays. */
  readonly anchors: boolean;
  readonly faults: World['faults'];
}

type Reload = Automaton<typeof reloadMachine>;
type Takeover = Automaton<typeof takeoverMachine>;

const reloadOf = (handoff: Handoff): Reload => {
  const start = begin(reloadMachine, {
    settings: settingsWith({ handoff }),
    record: {
      version: 1,
      tanist: '0.0.0',
      name: 'daemon',
      pidFile: '/run/daemon.pid',
      handoff,
      generation: 2,
      predecessor: { pid: 100, startTime: '1' },
      workers: [],
      requestedAtMs: 1,
      ids: [],
      hangupStops: false,
      descriptors: { lock: 3, token: 4, lifeWrite: 5, lifeRead: 6, peerRead: 7, fence: null },
      listeners: [],
    },
    descriptors: { lock: 3, lifeRead: 6, fence: null, anchor: null, listeners: [] },
  });
  return automaton(reloadMachine, start, ({ state, context }) => {
    const { served, committed, departed, stopping, successor, failure } = context;
    return [state, served, committed, departed, stopping, successor !== null, failure?.reason].join();
  });
};

const takeoverOf = (handoff: Handoff, probationMs: number): Takeover => {
  const start = begin(takeoverMachine, {
    settings: settingsWith({ handoff, probationMs }),
    predecessor: { pid: 100, startTime: '1' },
    workers: [],
    messages: 3,
    token: 4,
    lifeRead: 7,
  });
  return automaton(takeoverMachine, start, ({ state, context }) => {
    const { ready, decided, dead, departed, stopping, failure } = context;
    return [state, ready, decided, dead, departed, stopping, failure?.reason].join();
  });
};

const isOver = (state: string): boolean => state === 'ended';

/** Runs the machines: an event goes in, and its consequences are carried out until nobody has anything to say. */
const engineOf = ({ handoff, anchors }: ProductOptions, reload: Reload, takeover: Takeover) => {
  const orderOfP = (world: World, { event }: Order): { world: World; facts: readonly PlainEvent[] } => {
    switch (event.type) {
      case 'inbox.read':
        return { world: { ...world, inboxP: world.toP.length }, facts: [] };
      case 'token.take':
        if (world.token === 'there') return { world: { ...world, token: 'p' }, facts: [fact('token.taken')] };
        return { world, facts: [fact('token.gone')] };
      case 'successor.kill':
        return { world: world.s.life === 'dead' ? world : sDies(world), facts: [] };
      case 'leftovers.kill': {
        const remaining = LIVING.includes(world.s.workers) ? 1 : 0;
        return {
          world: { ...world, s: { ...world.s, workers: 'none' } },
          facts: [fact('leftovers.counted', { remaining })],
        };
      }
      case 'link.say': {
        const word = (event.message as { say: string }).say;
        const isHeard = world.s.life !== 'dead' && word in HEARD_BY_S;
        return { world: isHeard ? { ...world, toS: queued(world.toS, word) } : world, facts: [] };
      }
      default:
        return { world, facts: [] };
    }
  };

  const reportOfP = (world: World, report: PlainEvent): { world: World; facts: readonly PlainEvent[] } => {
    const { p } = world;
    switch (report.type) {
      case 'handoff.begun':
        if (handoff === 'overlap') return { world, facts: [] };
        return p.workers === 'none'
          ? { world, facts: [{ type: 'workers.drained' }] }
          : { world: { ...world, p: { ...p, workers: 'draining' } }, facts: [] };
      case 'reload.promoted': {
        const workers = p.workers === 'none' ? 'none' : 'draining';
        const relieved: World = { ...world, p: { ...p, role: 'relieved', workers } };
        return workers === 'none' ? pDrained(relieved) : { world: relieved, facts: [] };
      }
      case 'reload.refused':
        return {
          world: { ...world, p: { ...p, role: 'back', workers: p.stops > 0 ? 'none' : 'serving' }, toP: [] },
          facts: [],
        };
      case 'reload.anchored':
        // It closes everything: for a reload that is as if its process were gone.
        return { world: pDies(world), facts: [] };
      case 'successor.gone':
        return { world: pDies({ ...world, p: { ...p, workers: 'none' } }), facts: [] };
      case 'stop.requested':
        return pStops(world);
      default:
        return { world, facts: [] };
    }
  };

  /** All workers of a predecessor that drained are gone. */
  const pDrained = (world: World): { world: World; facts: readonly PlainEvent[] } => {
    const empty: World = { ...world, p: { ...world.p, workers: 'none' } };
    if (world.p.role === 'relieved' && world.p.stops === 0) {
      return anchors
        ? { world: empty, facts: [{ type: 'reload.anchor', pid: 100, startTime: '1' }] }
        : { world: pDies(empty), facts: [] };
    }
    return { world: empty, facts: [{ type: 'workers.drained' }] };
  };
  const pStops = (world: World): { world: World; facts: readonly PlainEvent[] } => ({
    world: { ...world, p: { ...world.p, stops: Math.min(2, world.p.stops + 1) } },
    facts: [fact('reload.abort')],
  });

  const toReload = (before: World, first: readonly PlainEvent[]): World => {
    let world = before;
    const queue = [...first];
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      if (world.p.life !== 'alive') break;
      const { place, orders, reports } = reload.next(world.p.machine, event);
      world = { ...world, p: { ...world.p, machine: place } };
      for (const report of reports) {
        const done = reportOfP(world, report);
        world = done.world;
        queue.push(...done.facts);
      }
      for (const order of orders) {
        const done = orderOfP(world, order);
        world = done.world;
        queue.push(...done.facts);
      }
    }
    return world;
  };

  const orderOfS = (world: World, { event }: Order): { world: World; facts: readonly PlainEvent[] } => {
    switch (event.type) {
      case 'inbox.read': {
        const end = world.p.life === 'dead' && !world.s.sawEnd ? 1 : 0;
        return { world: { ...world, inboxS: world.toS.length + end }, facts: [] };
      }
      case 'token.take':
        if (world.token === 'there') return { world: { ...world, token: 's' }, facts: [fact('token.taken')] };
        return { world, facts: [fact('token.gone')] };
      case 'predecessor.kill':
        return { world: world.p.life === 'dead' ? world : pDies(world), facts: [] };
      case 'leftovers.kill': {
        const remaining = LIVING.includes(world.p.workers) ? 1 : 0;
        return {
          world: { ...world, p: { ...world.p, workers: 'none' } },
          facts: [fact('leftovers.counted', { remaining })],
        };
      }
      case 'link.say': {
        const word = (event.message as { say: string }).say;
        const isHeard = world.p.life !== 'dead' && word in HEARD_BY_P && world.p.role !== 'back';
        const committed = world.s.committed || word === 'committed';
        const said = { ...world, s: { ...world.s, committed } };
        return { world: isHeard ? { ...said, toP: queued(said.toP, word) } : said, facts: [] };
      }
      default:
        return { world, facts: [] };
    }
  };

  const reportOfS = (world: World, report: PlainEvent): { world: World; facts: readonly PlainEvent[] } => {
    const { s } = world;
    const only = (changes: Partial<World['s']>) => ({
      world: { ...world, s: { ...s, ...changes } },
      facts: [],
    });
    switch (report.type) {
      case 'takeover.activated':
        return s.stops === 0 && s.workers === 'ready' ? only({ workers: 'serving' }) : only({});
      case 'takeover.charged':
        // From now on slots are filled, whatever has failed or not started yet.
        return only({ inCharge: true, charging: true, workers: s.stops > 0 ? s.workers : 'serving' });
      case 'takeover.committed':
        return s.stops > 0 ? only({ workers: s.workers === 'none' ? 'none' : 'draining' }) : only({});
      case 'stop.requested':
        return sStops(world);
      default:
        return only({});
    }
  };

  const sStops = (world: World): { world: World; facts: readonly PlainEvent[] } => {
    const { s } = world;
    const workers = s.committed && s.workers !== 'none' ? 'draining' : s.workers;
    return {
      world: { ...world, s: { ...s, stops: Math.min(2, s.stops + 1), workers } },
      facts: [{ type: 'takeover.stop' }],
    };
  };

  const toTakeover = (before: World, first: readonly PlainEvent[]): World => {
    let world = before;
    const queue = [...first];
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      if (world.s.life !== 'alive') break;
      const { place, orders, reports } = takeover.next(world.s.machine, event);
      world = { ...world, s: { ...world.s, machine: place } };
      for (const report of reports) {
        const done = reportOfS(world, report);
        world = done.world;
        queue.push(...done.facts);
      }
      for (const order of orders) {
        const done = orderOfS(world, order);
        world = done.world;
        queue.push(...done.facts);
      }
    }
    return world;
  };
  return { toReload, toTakeover, pDrained, pStops, sStops };
};

/** What waits already is not said twice: an alarm may repeat it without end. */
const queued = (words: readonly string[], word: string): readonly string[] =>
  words.includes(word) ? words : [...words, word];

const lower = (count: number | null): number | null => (count === null ? null : Math.max(0, count - 1));

export const product = (options: ProductOptions): Product => {
  const { handoff, probationMs, faults } = options;
  const reload = reloadOf(handoff);
  const takeover = takeoverOf(handoff, probationMs);
  const { toReload, toTakeover, pDrained, pStops, sStops } = engineOf(options, reload, takeover);
  const exclusive = handoff === 'exclusive';
  const stateOfP = (world: World): string => reload.at(world.p.machine).state;
  const stateOfS = (world: World): string => takeover.at(world.s.machine).state;

  const start = toReload(
    {
      p: {
        life: 'alive',
        machine: reload.first.place,
        role: 'serving',
        stops: 0,
        workers: 'serving',
        sawExit: false,
        sawDeparture: false,
      },
      s: {
        life: 'alive',
        machine: takeover.first.place,
        inCharge: false,
        committed: false,
        stops: 0,
        workers: 'starting',
        charging: false,
        sawEnd: false,
        sawDeparture: false,
      },
      toP: [],
      toS: [],
      inboxP: null,
      inboxS: null,
      token: 'there',
      faults,
    },
    [fact('successor.spawned', { generation: 2, pid: PID, startTime: '1' })],
  );

  const movesOfP = (world: World): readonly (readonly [string, World])[] => {
    if (world.p.life !== 'alive') return [];
    const { p, s } = world;
    const moves: (readonly [string, World])[] = [];
    if (p.workers === 'draining') {
      const { world: empty, facts } = pDrained(world);
      moves.push(['P drained', toReload(empty, facts)]);
    }
    if (isOver(stateOfP(world))) return moves;
    const [word] = world.toP;
    if (word !== undefined) {
      const rest = { ...world, toP: world.toP.slice(1), inboxP: lower(world.inboxP) };
      moves.push([`P hears ${word}`, toReload(rest, [HEARD_BY_P[word] as PlainEvent])]);
    }
    if (world.inboxP === 0)
      moves.push(['P inbox.empty', toReload({ ...world, inboxP: null }, [fact('inbox.empty')])]);
    if (s.life === 'dead' && !p.sawExit) {
      const exited = fact('successor.exited', { pid: PID, code: null, signal: 'SIGKILL' });
      moves.push(['P sees S exit', toReload({ ...world, p: { ...p, sawExit: true } }, [exited])]);
    }
    if (s.life === 'dead' && s.workers === 'none' && !p.sawDeparture)
      moves.push([
        'P sees S depart',
        toReload({ ...world, p: { ...p, sawDeparture: true } }, [fact('successor.departed')]),
      ]);
    for (const alarm of reload.alarms(p.machine))
      moves.push([`P ${alarm} alarm`, toReload(world, [fact('alarm.fired', { alarm })])]);
    // Both stop: the predecessor waits for its successor no longer than the leave timeout.
    if (p.role === 'relieved' && p.stops > 0 && p.workers === 'none')
      moves.push(['P part alarm', pDies(world)]);
    return moves;
  };

  const movesOfS = (world: World): readonly (readonly [string, World])[] => {
    if (world.s.life !== 'alive') return [];
    const { p, s } = world;
    const moves: (readonly [string, World])[] = [];
    const over = isOver(stateOfS(world));
    if (s.workers === 'draining') moves.push(['S drained', { ...world, s: { ...s, workers: 'none' } }]);
    if (over && s.stops > 0 && s.workers === 'none') moves.push(['S exits', sDies(world)]);
    if (over) return moves;
    if (s.workers === 'starting')
      moves.push([
        'S ready',
        toTakeover({ ...world, s: { ...s, workers: 'ready' } }, [{ type: 'slots.ready' }]),
      ]);
    const [word] = world.toS;
    if (word !== undefined) {
      const rest = { ...world, toS: world.toS.slice(1), inboxS: lower(world.inboxS) };
      moves.push([`S hears ${word}`, toTakeover(rest, [HEARD_BY_S[word] as PlainEvent])]);
    }
    if (world.inboxS === 0)
      moves.push(['S inbox.empty', toTakeover({ ...world, inboxS: null }, [fact('inbox.empty')])]);
    if (p.life === 'dead' && world.toS.length === 0 && !s.sawEnd) {
      const seen = { ...world, inboxS: lower(world.inboxS), s: { ...s, sawEnd: true } };
      moves.push(['S sees P end', toTakeover(seen, [fact('predecessor.ended')])]);
    }
    if (p.life === 'dead' && p.workers === 'none' && !s.sawDeparture)
      moves.push([
        'S sees P depart',
        toTakeover({ ...world, s: { ...s, sawDeparture: true } }, [fact('predecessor.departed')]),
      ]);
    if (s.charging)
      moves.push([
        'S charge.taken',
        toTakeover({ ...world, s: { ...s, charging: false } }, [fact('charge.taken')]),
      ]);
    for (const alarm of takeover.alarms(s.machine))
      moves.push([`S ${alarm} alarm`, toTakeover(world, [fact('alarm.fired', { alarm })])]);
    return moves;
  };

  const movesOfKernel = (world: World): readonly (readonly [string, World])[] => [
    ...(['orphaned', 'lost'].includes(world.p.workers)
      ? [["P's workers end", { ...world, p: { ...world.p, workers: 'none' } }] as const]
      : []),
    ...(['orphaned', 'lost'].includes(world.s.workers)
      ? [["S's workers end", { ...world, s: { ...world.s, workers: 'none' } }] as const]
      : []),
  ];

  const movesOfFate = (world: World): readonly (readonly [string, World])[] => {
    const { p, s } = world;
    const spend = (what: keyof World['faults']): World => ({
      ...world,
      faults: { ...world.faults, [what]: world.faults[what] - 1 },
    });
    const moves: (readonly [string, World])[] = [];
    if (world.faults.kills > 0) {
      if (p.life !== 'dead') moves.push(['P is killed', pDies(spend('kills'))]);
      if (s.life !== 'dead') moves.push(['S is killed', sDies(spend('kills'))]);
    }
    if (world.faults.hangs > 0) {
      if (p.life === 'alive') moves.push(['P hangs', { ...spend('hangs'), p: { ...p, life: 'hung' } }]);
      if (s.life === 'alive') moves.push(['S hangs', { ...spend('hangs'), s: { ...s, life: 'hung' } }]);
    }
    if (p.life === 'hung') moves.push(['P wakes', { ...world, p: { ...p, life: 'alive' } }]);
    if (s.life === 'hung') moves.push(['S wakes', { ...world, s: { ...s, life: 'alive' } }]);
    if (world.faults.fails > 0 && s.life === 'alive' && !s.inCharge && s.workers !== 'failed') {
      const failed = fact('slot.failed', { reason: 'worker-exited', detail: '' });
      const spent = { ...spend('fails'), s: { ...s, workers: 'failed' as const } };
      moves.push(["S's worker fails", toTakeover(spent, [failed])]);
    }
    if (world.faults.stops > 0) {
      if (p.life === 'alive' && !isOver(stateOfP(world))) {
        const { world: stopping, facts } = pStops(spend('stops'));
        moves.push(['P is asked to stop', toReload(stopping, facts)]);
      }
      if (s.life === 'alive' && !isOver(stateOfS(world))) {
        const { world: stopping, facts } = sStops(spend('stops'));
        moves.push(['S is asked to stop', toTakeover(stopping, facts)]);
      }
    }
    return moves;
  };

  return {
    start,
    moves: (world) => [
      ...[...movesOfP(world), ...movesOfS(world), ...movesOfKernel(world)].map(([name, next]) => ({
        name,
        isFault: false,
        world: next,
      })),
      ...movesOfFate(world).map(([name, next]) => ({ name, isFault: true, world: next })),
    ],
    problems: (world) => {
      const { p, s } = world;
      const problems: string[] = [];
      const must = (truth: boolean, words: string) => {
        if (!truth) problems.push(words);
      };
      must(p.role !== 'back' || p.life === 'dead' || s.life === 'dead', 'refused, and the successor lives');
      must(p.role !== 'relieved' || s.committed, 'promoted, and the successor has not committed');
      must(
        !s.inCharge || world.token === 's' || p.life === 'dead' || s.life === 'dead',
        'both are in charge',
      );
      must(
        !exclusive || !isActive(p.workers) || !isActive(s.workers),
        'exclusive: both generations are active',
      );
      return problems;
    },
    isSettled: ({ p, s, ...rest }) => {
      const world = { p, s, ...rest };
      const predecessorServes = p.life === 'alive' && p.role === 'back';
      const successorServes = s.life === 'alive' && s.inCharge && isOver(stateOfS(world));
      const nobody = p.life !== 'alive' && s.life !== 'alive';
      // It failed, and the only one who may decide about it hangs: the contract lets it wait.
      const waitsForHung = p.life === 'hung' && stateOfS(world).startsWith('doomed');
      return predecessorServes || successorServes || nobody || waitsForHung;
    },
    describe: (world) => `P ${stateOfP(world)}, S ${stateOfS(world)}, ${JSON.stringify(world)}`,
  };
};
