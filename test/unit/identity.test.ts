import { afterEach, describe, expect, it } from 'vitest';
import { type AnyEventObject, createActor, setup } from 'xstate';
import type { BoundListener, SupervisorEvent } from '../../machines/events.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { createIdentity } from '../../src/actors/identity.js';
import { TanistError } from '../../src/errors.js';
import type { Env } from '../../src/os/env.js';
import { assume, type Credentials, deviation, type IdentityCalls } from '../../src/os/identity.js';
import type { Need } from '../../src/program.js';
import { childrenOf, drive } from '../../src/testing/drive.js';
import { settingsWith } from '../model/settings.js';

const WWW = { user: 'www', uid: 33, gid: 34 };
const AT = { atMs: 9_000 };

/** Root with groups of its own, and a kernel that does what it is told; `changes` is what it does otherwise. */
const kernel = (changes: Partial<IdentityCalls> = {}) => {
  const calls: string[] = [];
  const now = { uid: 0, euid: 0, gid: 0, egid: 0, groups: [0, 4, 24] };
  const mayChange = () => {
    if (now.euid !== 0) throw new Error('EPERM');
  };
  const honest: IdentityCalls = {
    setgroups: (groups) => {
      mayChange();
      now.groups = groups;
    },
    initgroups: (_, gid) => {
      mayChange();
      now.groups = [gid, 50];
    },
    setgid: (gid) => {
      mayChange();
      Object.assign(now, { gid, egid: gid });
    },
    setuid: (uid) => {
      mayChange();
      Object.assign(now, { uid, euid: uid });
    },
    credentials: (): Credentials => ({ ...now, groups: [...now.groups] }),
  };
  const used = { ...honest, ...changes };
  const noted: IdentityCalls = {
    setgroups: (groups) => {
      calls.push(`setgroups ${groups}`);
      used.setgroups(groups);
    },
    initgroups: (user, gid) => {
      calls.push(`initgroups ${user} ${gid}`);
      used.initgroups(user, gid);
    },
    setgid: (gid) => {
      calls.push(`setgid ${gid}`);
      used.setgid(gid);
    },
    setuid: (uid) => {
      calls.push(`setuid ${uid}`);
      used.setuid(uid);
    },
    credentials: used.credentials,
  };
  return { calls, noted, now };
};

const problemWith = (changes: Partial<IdentityCalls>): string => {
  try {
    assume(WWW, kernel(changes).noted);
  } catch (error) {
    if (error instanceof TanistError && error.code === 'TANIST_IDENTITY') return error.message;
    throw error;
  }
  throw new Error('it was assumed');
};

describe('becoming another user', () => {
  it('S18: drops the groups, takes those of the user, then group and user, and tries to come back', () => {
    const { calls, noted, now } = kernel();
    expect(assume(WWW, noted)).toEqual([34, 50]);
    expect(calls).toEqual([
      'setgroups ',
      'initgroups www 34',
      'setgid 34',
      'setuid 33',
      'setuid 0',
      'setgid 0',
    ]);
    expect(now).toMatchObject({ uid: 33, euid: 33, gid: 34, egid: 34 });
  });

  it('takes the group alone for a number that has no name', () => {
    const { calls, noted } = kernel();
    expect(assume({ user: null, uid: 777, gid: 778 }, noted)).toEqual([778]);
    expect(calls.slice(0, 4)).toEqual(['setgroups ', 'setgroups 778', 'setgid 778', 'setuid 777']);
  });

  it('of root with another group tries no way back: there is none to lose', () => {
    const { calls, noted } = kernel();
    assume({ user: 'root', uid: 0, gid: 50 }, noted);
    expect(calls).toEqual(['setgroups ', 'initgroups root 50', 'setgid 50', 'setuid 0']);
  });

  it.each([
    [
      'groups of whoever started it stay',
      { setgroups: () => undefined },
      'groups 4, 24 could not be dropped',
    ],
    ['the group does not change', { setgid: () => undefined }, 'its gid is 0, 34 was expected'],
    ['the user does not change', { setuid: () => undefined }, 'its uid is 0, 33 was expected'],
    [
      'the system refuses',
      {
        setgid: () => {
          throw new Error('EPERM, Operation not permitted');
        },
      },
      'cannot become user 33 and group 34: EPERM, Operation not permitted',
    ],
  ])('X19: fails where %s', (_, changes, message) => {
    expect(problemWith(changes)).toContain(message);
  });

  it('X19: fails where only half of it happened: the effective user is another, the real one is still root', () => {
    const { noted, now } = kernel();
    const half = { ...noted, setuid: (uid: number) => Object.assign(now, { euid: uid }) };
    expect(() => assume(WWW, half)).toThrow(/its uid is 0, 33 was expected/);
  });

  it('X19: fails where root can be had again', () => {
    const { noted, now } = kernel();
    const open = { ...noted, setuid: (uid: number) => Object.assign(now, { uid, euid: uid }) };
    expect(() => assume(WWW, open)).toThrow(/could become root again/);
  });

  it('X19: fails where the groups do not hold the one that was asked for', () => {
    expect(problemWith({ initgroups: () => undefined })).toContain('its groups are ');
  });

  describe('with what makes the kernel act for root', () => {
    const before = process.env.UV_USE_IO_URING;
    afterEach(() => {
      if (before === undefined) delete process.env.UV_USE_IO_URING;
      else process.env.UV_USE_IO_URING = before;
    });

    it('fails before anything is changed', () => {
      process.env.UV_USE_IO_URING = '1';
      const { calls, noted } = kernel();
      expect(() => assume(WWW, noted)).toThrow(/UV_USE_IO_URING/);
      expect(calls).toEqual([]);
    });
  });
});

describe('a process', () => {
  const right: Credentials = { uid: 33, euid: 33, gid: 34, egid: 34, groups: [34] };

  it('is an account by all four of its numbers', () => {
    expect(deviation(WWW, right)).toBeNull();
    for (const key of ['uid', 'euid', 'gid', 'egid'] as const)
      expect(deviation(WWW, { ...right, [key]: 0 })).toContain(`its ${key} is 0`);
  });
});

/** What the effect does and states, with a door that notes. */
const run = (listeners: readonly BoundListener[], needs: readonly Need[], changes: Partial<Env> = {}) => {
  const done: string[] = [];
  const facts: AnyEventObject[] = [];
  const env = {
    now: () => 1,
    give: (path: string, file: string) => done.push(`give ${path} ${file}`),
    assume: () => {
      done.push('assume');
      return [34];
    },
    obstacle: (path: string, use: string) => {
      done.push(`${use} ${path}`);
      return null;
    },
    ...changes,
  } as unknown as Env;
  const machine = setup({ actors: { identity: createIdentity(env, { needs }) } }).createMachine({
    invoke: { src: 'identity', input: { account: WWW, listeners } },
    on: { '*': { actions: ({ event }) => facts.push(event) } },
  });
  const actor = createActor(machine);
  actor.subscribe({ error: (error) => facts.push({ type: 'error', error }) });
  actor.start();
  return { done, facts };
};

const NEED: Need = { path: '/root/app.js', use: 'read', purpose: 'which the workers run' };

describe('the identity effect', () => {
  it('gives away the paths that are ours, becomes the user, and looks whether that can run anything', () => {
    const listeners = [
      { name: 'a', address: '127.0.0.1:80', descriptor: 10 },
      { name: 'b', address: 'unix:/run/b.sock', descriptor: 11, file: '8:9' },
      { name: 'c', address: 'unix:/run/c.sock', descriptor: 12, file: '8:10', origin: 'systemd' },
    ];
    const { done, facts } = run(listeners, [NEED]);
    expect(done).toEqual(['give /run/b.sock 8:9', 'assume', 'read /root/app.js']);
    expect(facts).toEqual([{ type: 'identity.assumed', ...WWW, groups: [34], atMs: 1 }]);
  });

  it('has failed where the user cannot use what it needs, and says what for', () => {
    const { facts } = run([], [NEED], { obstacle: () => 'EACCES' });
    expect(facts).toMatchObject([
      {
        type: 'identity.failed',
        code: 'TANIST_USER_ACCESS',
        message: 'www cannot read /root/app.js, which the workers run: EACCES',
      },
    ]);
  });

  it('has failed where the process did not become the user', () => {
    const refuse = () => {
      throw new TanistError('TANIST_IDENTITY', 'no');
    };
    expect(run([], [NEED], { assume: refuse })).toMatchObject({
      done: [],
      facts: [{ type: 'identity.failed', code: 'TANIST_IDENTITY', message: 'no' }],
    });
  });
});

describe('the supervisor that is to run as another user', () => {
  const begin = () => {
    const machine = drive(supervisorMachine, {
      settings: settingsWith({ account: WWW }),
      version: '1.2.3',
      self: { pid: 100, startTime: '1' },
      startedAtMs: 1_000,
      hangupStops: false,
      handover: null,
    });
    const send = (event: SupervisorEvent) => machine.send(event);
    send({ type: 'lock.acquired', descriptor: 5, ...AT });
    return { send, machine };
  };
  const bound: SupervisorEvent = { type: 'listeners.bound', listeners: [], ...AT };

  it('S16: becomes it after lock and listeners, and before pid and workers', () => {
    const { send } = begin();
    const assuming = send(bound);
    expect(assuming.state).toBe('idle.assuming');
    expect(childrenOf(assuming).map(({ src }) => src)).not.toContain('lifePipe');
    const opened = send({ type: 'identity.assumed', ...WWW, groups: [34], ...AT });
    expect(opened.state).toBe('idle.opening');
    expect(send({ type: 'lifePipe.opened', write: 8, read: 9, ...AT }).state).toBe('idle.publishing');
  });

  it('ends with the reason where it does not become it, and starts nothing', () => {
    const { send } = begin();
    send(bound);
    const failed = send({ type: 'identity.failed', code: 'TANIST_IDENTITY', message: 'no', ...AT });
    expect(failed.state).toBe('stopping.releasing');
    expect(failed.context.failure).toEqual({ code: 'TANIST_IDENTITY', message: 'no' });
    expect(send({ type: 'lock.released', ...AT }).state).toBe('failed');
  });

  it('takes a reload that is asked for meanwhile', () => {
    const { send } = begin();
    send(bound);
    const asked = send({ type: 'reload.requested', via: 'SIGUSR2', id: null, ...AT });
    expect([asked.state, asked.context.deferredReload !== null]).toEqual(['idle.assuming', true]);
  });

  it('tells its successor whom it runs as', () => {
    const { machine } = begin();
    expect(machine.now.snapshot.context.settings.account).toEqual(WWW);
  });
});
