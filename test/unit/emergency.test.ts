import { describe, expect, it } from 'vitest';
import type { BoundListener, Failure, Identity } from '../../machines/events.js';
import { Emergency } from '../../src/emergency/emergency.js';
import { Holdings, type Inherited } from '../../src/emergency/holdings.js';
import { recordingEnv } from '../../src/emergency/recording-env.js';
import type { ControlRequest, Env, SpawnRequest } from '../../src/os/env.js';

const SETTINGS = { stopSignal: 'SIGTERM', drainTimeoutMs: 30_000, takeoverTimeoutMs: 5_000 } as const;
const PREDECESSOR: Identity = { pid: 50, startTime: '5' };
const LEFTOVER: Identity = { pid: 60, startTime: '6' };
const PIPES = { messages: 30, descriptors: [31, 32], listeners: [], fence: null, anchor: null };

interface Timer {
  readonly delayMs: number;
  readonly fire: () => void;
}

/** A door that writes down what is done, and a supervisor behind it of which a test plays the effects. */
class Stage {
  readonly done: string[] = [];
  readonly logged: string[] = [];
  readonly timers = new Set<Timer>();
  readonly signals = new Map<string, () => void>();
  readonly children = new Map<number, SpawnRequest>();
  readonly living = new Set<number>();
  request: (request: ControlRequest) => void = () => undefined;
  bind: (listeners: readonly BoundListener[]) => void = () => undefined;
  failure: Failure | null = null;
  stops = 0;
  breaking = '';
  readonly effects: Env;
  readonly emergency: Emergency;
  #pid = 100;

  constructor(inherited: Inherited | null = null) {
    const holdings = new Holdings(inherited);
    const env = this.#door();
    this.effects = recordingEnv(env, holdings, (error) => this.emergency.begin(error));
    this.emergency = new Emergency({
      env,
      holdings,
      settings: SETTINGS,
      log: (level, event, msg) => this.logged.push(`${level} ${event}: ${msg}`),
      lastKnown: () => ({ stops: this.stops, hangupStops: false, leftovers: [LEFTOVER] }),
      onBegin: () => this.done.push('begin'),
      onEnd: (failure) => {
        this.failure = failure;
        this.done.push('end');
      },
    });
  }

  #does(what: string): void {
    if (this.breaking !== '' && what.startsWith(this.breaking)) throw new Error(`${what} cannot be done`);
    this.done.push(what);
  }

  #door(): Env {
    const stream = (descriptor: number) => ({
      write: (text: string) => {
        this.#does(`say ${descriptor} ${text.trim()}`);
        return 0;
      },
      close: () => this.#does(`close ${descriptor}`),
    });
    const pidFile = {
      descriptor: 5,
      writePid: () => undefined,
      remove: (pid: number) => this.#does(`remove pid ${pid}`),
    };
    return {
      pid: 42,
      setTimer: (callback: () => void, delayMs: number) => {
        const timer = { delayMs, fire: callback };
        this.timers.add(timer);
        return () => this.timers.delete(timer);
      },
      onSignal: (signal: string, callback: () => void) => {
        this.signals.set(signal, callback);
        return () => this.signals.delete(signal);
      },
      afterPoll: () => () => undefined,
      spawn: (request: SpawnRequest) => {
        this.#pid += 1;
        this.children.set(this.#pid, request);
        this.#does(`spawn ${this.#pid}`);
        request.onSpawn({ pid: this.#pid, startTime: '1', streams: [this.#pid * 10] });
      },
      signalChild: (pid: number, signal: string, group: boolean) => {
        this.#does(`${signal} ${group ? '-' : ''}${pid}`);
        return null;
      },
      signalProcess: ({ pid }: Identity, signal: string) => {
        this.#does(`${signal} to stranger ${pid}`);
        return null;
      },
      isAlive: ({ pid }: Identity) => this.living.has(pid),
      lockPidFile: () => ({ outcome: 'acquired', file: pidFile }),
      openFence: () => 6,
      listen: () =>
        new Promise((resolve) => {
          this.bind = resolve;
        }),
      unlink: (path: string) => this.#does(`unlink ${path}`),
      duplicate: (descriptor: number) => descriptor + 1,
      openStream: (descriptor: number) => stream(descriptor),
      close: (descriptor: number) => this.#does(`close ${descriptor}`),
      serveControl: (handler: (request: ControlRequest) => void) => {
        this.request = handler;
        const server = (what: string) => () => this.#does(`${what} control`);
        return {
          claim: async () => undefined,
          remove: server('remove'),
          close: server('close'),
          abandon: server('abandon'),
        };
      },
    } as unknown as Env;
  }

  /** A worker, or a successor, as an effect starts it. */
  start(role: 'worker' | 'successor' = 'worker'): number {
    const request = {
      role,
      onSpawn: () => undefined,
      onFailure: () => undefined,
      onExit: () => this.done.push('told of an exit'),
    };
    this.effects.spawn(request as unknown as SpawnRequest);
    return this.#pid;
  }

  exits(pid: number): void {
    this.children.get(pid)?.onExit({ code: 0, signal: null });
  }

  /** Everything that a supervisor with one worker holds. */
  holdAll(): number {
    this.effects.lockPidFile('/run/web.pid', null);
    this.effects.openFence('/run/web.workers');
    this.effects.serveControl(() => undefined);
    return this.start();
  }

  /** What was done since it was last asked. */
  news(): readonly string[] {
    return this.done.splice(0);
  }

  fire(delayMs: number): void {
    const timer = [...this.timers].find((one) => one.delayMs === delayMs);
    if (timer === undefined) throw new Error(`no timer of ${delayMs} ms`);
    this.timers.delete(timer);
    timer.fire();
  }

  ask(method: string, path: string): readonly unknown[] {
    const answers: unknown[] = [];
    this.request({
      method,
      path,
      query: {},
      respond: (status, body) => answers.push([status, body]),
      hold: (status, body) => answers.push([status, body, 'held']),
      respondText: (_, text) => answers.push([200, text]),
      stream: () => ({ write: () => 0, abort: () => undefined }),
    });
    return answers;
  }
}

const boom = (): never => {
  throw new Error('boom');
};

describe('an emergency', () => {
  it('begins where an effect throws when it is called back, and nothing is called back after that', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    stage.effects.setTimer(boom, 10);
    stage.effects.setTimer(() => stage.done.push('another timer'), 20);
    stage.effects.onSignal('SIGUSR2', () => stage.done.push('a signal'));
    stage.news();
    stage.fire(10);
    expect(stage.logged[0]).toMatch(
      /^fatal supervisor.crashed: the supervisor has failed: Error: boom\n +at boom/,
    );
    expect(stage.news()).toEqual(['begin', `SIGTERM ${worker}`]);
    expect([...stage.timers].map(({ delayMs }) => delayMs)).toEqual([SETTINGS.drainTimeoutMs]);
    stage.signals.get('SIGUSR2')?.();
    stage.exits(worker);
    expect(stage.news()).not.toContain('told of an exit');
  });

  it('gives everything back when the last worker has left, the lock last, and only then is at its end', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    const other = stage.start();
    stage.news();
    stage.emergency.begin(new Error('boom'));
    expect(stage.news()).toEqual(['begin', `SIGTERM ${worker}`, `SIGTERM ${other}`]);
    stage.exits(worker);
    expect(stage.news()).toEqual([]);
    stage.exits(other);
    expect(stage.news()).toEqual([
      'remove control',
      'unlink /run/web.workers',
      'remove pid 42',
      'end',
      'close control',
      'close 5',
      'close 6',
      `close ${worker * 10}`,
      `close ${other * 10}`,
    ]);
    expect(stage.failure).toEqual({ code: 'TANIST_INTERNAL', message: 'the supervisor has failed: boom' });
    expect([stage.timers.size, stage.signals.size]).toEqual([0, 0]);
  });

  it('lets no effect start, signal or close anything any more', () => {
    const stage = new Stage();
    stage.holdAll();
    stage.emergency.begin('a word');
    stage.news();
    stage.start();
    stage.effects.close(5);
    stage.effects.unlink('/run/public');
    expect(stage.effects.signalChild(101, 'SIGKILL', true)).toBe('the supervisor has failed');
    expect(stage.effects.signalProcess(LEFTOVER, 'SIGKILL', true)).toBe('the supervisor has failed');
    expect(stage.news()).toEqual([]);
  });

  it('gives back what the system brings too late', async () => {
    const stage = new Stage();
    stage.holdAll();
    const told: unknown[] = [];
    stage.effects
      .listen({ kind: 'unix', name: 'a', path: '/run/a' }, [])
      .then((listeners) => told.push(listeners));
    stage.emergency.begin(new Error('boom'));
    stage.news();
    stage.bind([{ name: 'a', address: 'unix:/run/a', descriptor: 77 }]);
    await Promise.resolve();
    expect(stage.news()).toEqual(['unlink /run/a', 'close 77']);
    expect(told).toEqual([]);
  });

  it('kills the groups of those who stay, and ends even if that does not end them', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    stage.emergency.begin(new Error('boom'));
    stage.news();
    stage.fire(SETTINGS.drainTimeoutMs);
    expect(stage.news()).toEqual([`SIGKILL -${worker}`]);
    stage.fire(SETTINGS.takeoverTimeoutMs);
    expect(stage.news()).toContain('end');
    expect(stage.logged.join('\n')).toContain(
      `error emergency.unfinished: SIGKILL has not ended pid ${worker} yet`,
    );
  });

  it('goes on where something cannot be given back', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    stage.breaking = 'unlink';
    stage.emergency.begin(new Error('boom'));
    stage.exits(worker);
    expect(stage.news()).toEqual(expect.arrayContaining(['remove pid 42', 'end', 'close 5']));
    expect(stage.logged.join('\n')).toMatch(/emergency.failed: something could not be given back: .*unlink/);
  });

  it('kills at once and ends where the orderly stop itself fails', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    stage.breaking = 'SIGTERM';
    stage.emergency.begin(new Error('boom'));
    expect(stage.news()).toEqual(expect.arrayContaining([`SIGKILL -${worker}`, 'remove pid 42', 'end']));
  });

  it('logs what fails after it and begins only once', () => {
    const stage = new Stage();
    stage.holdAll();
    stage.emergency.begin(new Error('boom'));
    stage.news();
    stage.emergency.begin(new Error('another'));
    expect(stage.news()).toEqual([]);
    expect(stage.logged.at(-1)).toMatch(
      /^error supervisor.crashed: another error while it stops: Error: another/,
    );
  });

  it('kills leftovers of another generation whose identity is proven', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    stage.living.add(LEFTOVER.pid);
    stage.emergency.begin(new Error('boom'));
    stage.exits(worker);
    expect(stage.news()).toContain(`SIGKILL to stranger ${LEFTOVER.pid}`);
  });

  it('answers those who wait for a verdict, and those who ask meanwhile', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    const reload = stage.ask('POST', '/reload');
    expect(reload).toEqual([]);
    stage.emergency.begin(new Error('boom'));
    const error = expect.objectContaining({
      code: 'TANIST_INTERNAL',
      message: 'the supervisor has failed: boom',
    });
    expect(reload).toEqual([[503, { error }]]);
    expect(stage.ask('GET', '/status')).toEqual([[503, { error }]]);
    expect(stage.ask('GET', '/readyz')).toEqual([
      [503, { ok: false, reason: 'the supervisor has failed: boom' }],
    ]);
    stage.news();
    expect(stage.ask('POST', '/stop')).toEqual([[202, { outcome: 'stopping' }, 'held']]);
    expect(stage.news()).toEqual([`SIGKILL -${worker}`]);
  });
});

describe('an emergency of one of two generations', () => {
  it('tells a predecessor that lives, leaves it everything and ends at once', () => {
    const stage = new Stage({ ...PIPES, predecessor: PREDECESSOR });
    const worker = stage.start();
    stage.living.add(PREDECESSOR.pid);
    stage.effects.lockPidFile('/run/web.pid', 31);
    stage.news();
    stage.emergency.begin(new Error('boom'));
    const news = stage.news();
    const said = { say: 'failed', reason: 'exited', detail: 'the supervisor has failed: boom' };
    expect(news.slice(0, 4)).toEqual(['begin', `SIGTERM ${worker}`, `say 30 ${JSON.stringify(said)}`, 'end']);
    expect(news.join(' ')).not.toMatch(/remove|unlink|SIGKILL/);
  });

  it('is alone where its predecessor is dead, though the end of the socket was not read yet', () => {
    const stage = new Stage({ ...PIPES, predecessor: PREDECESSOR });
    stage.effects.lockPidFile('/run/web.pid', 31);
    stage.emergency.begin(new Error('boom'));
    expect(stage.news()).toEqual(expect.arrayContaining(['remove pid 42', `remove pid ${PREDECESSOR.pid}`]));
  });

  it('closes the socket to a successor, abandons whoever waits, and removes nothing', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    const successor = stage.start('successor');
    const reload = stage.ask('POST', '/reload');
    stage.news();
    stage.emergency.begin(new Error('boom'));
    expect(stage.news()).toEqual([
      'begin',
      'abandon control',
      `SIGTERM ${worker}`,
      `close ${successor * 10}`,
    ]);
    expect(reload).toEqual([]);
    stage.exits(worker);
    expect(stage.news().join(' ')).not.toMatch(/remove|unlink/);
    expect(stage.logged.at(-1)).toBe('error emergency.ended: the successor has the service now');
  });

  it('passes a stop that was asked for on to the successor', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    const successor = stage.start('successor');
    stage.stops = 1;
    stage.emergency.begin(new Error('boom'));
    expect(stage.news()).toContain(`SIGTERM ${successor}`);
    stage.emergency.hurry('SIGINT');
    expect(stage.news()).toEqual([`SIGTERM ${successor}`, `SIGKILL -${worker}`]);
  });

  it('gives everything back if the successor dies meanwhile, its pid in the pid file included', () => {
    const stage = new Stage();
    const worker = stage.holdAll();
    const successor = stage.start('successor');
    stage.emergency.begin(new Error('boom'));
    stage.exits(successor);
    stage.news();
    stage.exits(worker);
    expect(stage.news()).toEqual(
      expect.arrayContaining(['remove control', 'remove pid 42', `remove pid ${successor}`]),
    );
  });

  it('tells the anchor why the service has ended', () => {
    const stage = new Stage({ ...PIPES, descriptors: [31, 33], predecessor: PREDECESSOR, anchor: 33 });
    stage.emergency.begin(new Error('boom'));
    const failure = { code: 'TANIST_INTERNAL', message: 'the supervisor has failed: boom' };
    expect(stage.news()).toContain(`say 34 ${JSON.stringify({ say: 'concluded', failure })}`);
  });
});
