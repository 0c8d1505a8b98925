import { describe, expect, it } from 'vitest';
import { branchText, covered } from '../../src/testing/coverage.js';
import { walk } from '../../src/testing/walk.js';
import { type Row, tableOf, timed } from './coverage-table.js';
import { childless, type SupervisorWalk, supervisorModel } from './supervisor-model.js';

const first = { successor: false, hangupStops: false, failures: true };
const calm = { ...first, failures: false };
const alone = { pidFile: null, control: null } as const;
const plain = { ...calm, plain: true };
const LIMITED = { maxMemoryBytes: 1_000 };
const limited = { respawnLimit: { count: 1, withinMs: 10_000 } };

const WALKS: Readonly<Record<string, SupervisorWalk>> = {
  'first, overlap, 1 slot': { ...first, settings: {} },
  'first, exclusive, 1 slot': { ...first, settings: { handoff: 'exclusive' } },
  'first, overlap, 1 slot, limit, terminal': { ...calm, hangupStops: true, settings: limited },
  'first, overlap, 1 slot, no reload': { ...first, settings: { hotReload: false, anchor: true } },
  'first, overlap, 1 slot, daemonized, anchor': { ...first, daemonized: true, settings: { anchor: true } },
  'first, overlap, 1 slot, daemonized, no reload': {
    ...first,
    daemonized: true,
    settings: { hotReload: false, anchor: true },
  },
  'first, overlap, 2 slots, daemonized': { ...calm, daemonized: true, settings: { workers: 2 } },
  'first, overlap, 1 slot, another user': {
    ...plain,
    settings: { account: { user: 'nobody', uid: 65_534, gid: 65_534 } },
  },
  'first, overlap, 1 slot, another user, no reload': {
    ...first,
    settings: { hotReload: false, account: { user: 'nobody', uid: 65_534, gid: 65_534 } },
  },
  'successor, overlap, 1 slot': { ...first, successor: true, settings: {} },
  'successor, exclusive, 1 slot': { ...first, successor: true, settings: { handoff: 'exclusive' } },
  'successor, exclusive, no protocol, 1 slot': {
    ...first,
    successor: true,
    settings: { handoff: 'exclusive', ready: { mode: 'alive', forMs: 1_000 } },
  },
  'first, overlap, 1 slot, anchor': { ...first, settings: { anchor: true, probationMs: 9_000 } },
  'first, exclusive, 1 slot, anchor, terminal': {
    ...calm,
    hangupStops: true,
    settings: { handoff: 'exclusive', anchor: true },
  },
  'successor, overlap, 1 slot, of a first process that becomes an anchor': {
    ...plain,
    successor: true,
    anchor: 'later',
    calm: true,
    settings: {},
  },
  'successor, exclusive, 1 slot, with an anchor, terminal': {
    ...calm,
    successor: true,
    hangupStops: true,
    anchor: 'already',
    settings: { handoff: 'exclusive' },
  },
  'first, exclusive, 1 slot, without pid file and control socket': {
    ...first,
    settings: { ...alone, handoff: 'exclusive' },
  },
  'first, overlap, 1 slot, without pid file, daemonized, anchor': {
    ...first,
    daemonized: true,
    settings: { pidFile: null, anchor: true },
  },
  'successor, exclusive, 1 slot, without pid file and control socket': {
    ...first,
    successor: true,
    settings: { ...alone, handoff: 'exclusive' },
  },
  'successor, overlap, 1 slot, without pid file, with an anchor': {
    ...calm,
    successor: true,
    anchor: 'already',
    settings: { ...alone },
  },
  'first, overlap, 1 slot, memory': { ...plain, settings: LIMITED },
  'first, exclusive, 1 slot, memory': { ...plain, settings: { ...LIMITED, handoff: 'exclusive' } },
  'first, exclusive, no protocol, 1 slot, memory': {
    ...plain,
    settings: { ...LIMITED, handoff: 'exclusive', ready: { mode: 'alive', forMs: 1_000 } },
  },
  'first, overlap, 1 slot, memory nobody tells': { ...plain, hidden: true, calm: true, settings: LIMITED },
  'first, overlap, 1 to 2 slots, memory': { ...plain, settings: LIMITED, scales: [2], calm: true },
  'first, overlap, 1 slot, standby': { ...plain, settings: { standby: 1 } },
  'first, exclusive, 1 slot, standby': { ...plain, settings: { standby: 1, handoff: 'exclusive' } },
  'first, exclusive, 1 slot, standby, memory': {
    ...plain,
    calm: true,
    settings: { ...LIMITED, standby: 1, handoff: 'exclusive' },
  },
  'first, overlap, 1 slot, 2 standbys, memory': {
    ...plain,
    calm: true,
    settings: { ...LIMITED, standby: 2 },
  },
  'successor, overlap, 1 slot, standby': { ...plain, successor: true, settings: { standby: 1 } },
  'first, overlap, 1 to 2 slots, standby, failures': {
    ...first,
    plain: true,
    calm: true,
    settings: { standby: 1, ...limited },
    scales: [2],
  },
  'first, overlap, 1 to 2 slots': { ...calm, settings: {}, scales: [2], calm: true },
  'successor, overlap, 1 slot, on probation': {
    ...calm,
    successor: true,
    settings: { probationMs: 9_000, health: { mode: 'http', path: '/' } },
  },
};

/** `npm run walks` has these, too: every edge of theirs is one of the others. */
const MORE_WALKS: Readonly<Record<string, SupervisorWalk>> = {
  'successor, overlap, 1 slot, of a first process that becomes an anchor, which may fail': {
    ...calm,
    successor: true,
    anchor: 'later',
    settings: {},
  },
  'first, exclusive, 2 to 1 slots': {
    ...plain,
    settings: { workers: 2, handoff: 'exclusive' },
    scales: [1],
  },
  'successor, overlap, 2 slots': { ...calm, successor: true, settings: { workers: 2 } },
  'successor, exclusive, 2 slots': {
    ...calm,
    successor: true,
    settings: { workers: 2, handoff: 'exclusive' },
  },
};

describe('every edge of the supervisor machine', () => {
  const machine = covered(childless());
  const rows: Row[] = [];

  for (const [name, options] of Object.entries({
    ...WALKS,
    ...(process.env.TANIST_WALKS === 'all' ? MORE_WALKS : {}),
  })) {
    it(`keeps the promises of a supervisor (${name})`, () => {
      rows.push(timed(name, () => walk(supervisorModel(machine, options))));
    });
  }

  it('has been walked completely', () => {
    console.log(tableOf('supervisor', machine, rows));
    expect(machine.missed().map(branchText)).toEqual([]);
  });
});
