import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BoundListener } from '../../machines/events.js';
import { formatRecord, HANDOVER_VERSION, type HandoverRecord, parseRecord } from '../../machines/handover.js';
import type { Settings } from '../../machines/policy.js';
import { resolveSettings } from '../../src/config.js';
import { checkHandover, HandoverRefused } from '../../src/handover.js';
import { socketPair } from '../../src/os/descriptors.js';
import { handoverDescriptor, readHandover, refuseHandover } from '../../src/os/handover-socket.js';
import { listen } from '../../src/os/listening.js';
import { Streams } from '../../src/os/streams.js';
import { SUCCESSION_LINE_BYTES } from '../../src/protocol/succession.js';

const RECORD: HandoverRecord = {
  version: HANDOVER_VERSION,
  tanist: '0.1.0',
  name: 'web',
  pidFile: '/run/web.pid',
  handoff: 'overlap',
  generation: 2,
  predecessor: { pid: 4711, startTime: '815' },
  workers: [
    { pid: 4712, startTime: '816' },
    { pid: 4713, startTime: null },
  ],
  requestedAtMs: 1_700_000_000_000.25,
  ids: ['one', 'two'],
  hangupStops: false,
  descriptors: { lock: 4, token: 5, lifeWrite: 6, lifeRead: 7, peerRead: 8, fence: 9 },
  listeners: [
    { name: 'listen0', address: '127.0.0.1:8080', descriptor: 10 },
    { name: 'admin', address: 'unix:/run/admin.sock', descriptor: 11 },
  ],
};

const problemOf = (value: unknown): string => {
  const parsed = parseRecord(typeof value === 'string' ? value : JSON.stringify(value));
  return parsed.ok ? 'none' : parsed.problem;
};

/** A copy of the record with something else at a path. */
const changed = (path: readonly (string | number)[], value: unknown): unknown => {
  const copy = structuredClone(RECORD) as unknown;
  let place = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, unknown>;
  const last = path.at(-1) as string | number;
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
};

/** Every value in the record that is no object, with the way to it. */
const leavesOf = (
  value: unknown,
  path: (string | number)[] = [],
): { path: (string | number)[]; value: unknown }[] => {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  const entries = Array.isArray(value) ? value.map((item, index) => [index, item]) : Object.entries(value);
  return entries.flatMap(([key, item]) => leavesOf(item, [...path, key as string | number]));
};

const LEAVES = leavesOf(RECORD);
/** Where null is a value like others. */
const MAY_BE_NULL = ['startTime', 'fence', 'pidFile', 'lock'];

describe('a hand-over record', () => {
  it('is read as it was written', () => {
    const parsed = parseRecord(formatRecord(RECORD));
    expect(parsed).toEqual({ ok: true, record: RECORD });
    expect(formatRecord(RECORD)).not.toContain('\n');
  });

  it('may have no fence, no workers, no listeners and no ids', () => {
    const least = { ...RECORD, workers: [], listeners: [], ids: [] };
    const record = { ...least, descriptors: { ...RECORD.descriptors, fence: null } };
    expect(parseRecord(formatRecord(record))).toEqual({ ok: true, record });
  });

  it('may have no pid file, then without a lock, and no control socket, and none that is named', () => {
    const descriptors = { ...RECORD.descriptors, lock: null, fence: null };
    for (const control of [null, '/srv/control.sock', undefined]) {
      const record = {
        ...RECORD,
        pidFile: null,
        ...(control === undefined ? {} : { control }),
        descriptors,
      };
      expect(parseRecord(formatRecord(record))).toEqual({ ok: true, record });
    }
  });

  it.each([[['pidFile']], [['descriptors', 'lock']]])(
    'is refused when of pid file and lock one alone is there: without %j',
    (path) => {
      expect(problemOf(changed(path, null))).toBe(
        'the hand-over record has a lock without a pid file, or a pid file without',
      );
    },
  );

  it('may have fields that this version does not know', () => {
    expect(problemOf({ ...RECORD, later: { more: true } })).toBe('none');
  });

  it('is refused in every other version, before anything else in it is looked at', () => {
    fc.assert(
      fc.property(
        fc.jsonValue().filter((version) => version !== HANDOVER_VERSION),
        (version) => {
          const problem = `the hand-over record has version ${JSON.stringify(version)}, this tanist reads 1`;
          expect(problemOf({ version })).toBe(problem);
          expect(problemOf({ ...RECORD, version })).toBe(problem);
        },
      ),
    );
    expect(problemOf(changed(['version'], undefined))).toContain('has version undefined');
  });

  it('is refused without any one of its fields, and the field is named', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LEAVES), ({ path }) => {
        fc.pre(path[0] !== 'version' && typeof path.at(-1) === 'string');
        expect(problemOf(changed(path, undefined))).toContain(`${path.at(-1)}: expected`);
      }),
    );
  });

  it('is refused with a value of another type in any place, and the place is named', () => {
    const kindOf = (value: unknown) =>
      Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    fc.assert(
      fc.property(fc.constantFrom(...LEAVES), fc.jsonValue(), ({ path, value }, other) => {
        fc.pre(path[0] !== 'version' && kindOf(other) !== kindOf(value));
        fc.pre(
          !(
            MAY_BE_NULL.includes(String(path.at(-1))) && ['null', 'string', 'number'].includes(kindOf(other))
          ),
        );
        expect(problemOf(changed(path, other))).toContain(`${path.at(-1)}: expected`);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [['generation'], 1],
    [['generation'], 2.5],
    [['handoff'], 'both'],
    [['name'], ''],
    [['predecessor', 'pid'], 0],
    [['predecessor', 'pid'], -1],
    [['workers', 1, 'pid'], 2 ** 53],
    [['workers', 1, 'startTime'], ''],
    [['requestedAtMs'], -1],
    [['ids', 0], ''],
    [['descriptors', 'lock'], 2],
    [['descriptors', 'token'], 2 ** 31],
    [['descriptors', 'fence'], 0],
    [['listeners', 1, 'descriptor'], 1],
  ] as const)('is refused with the value out of range at %j: %j', (path, value) => {
    expect(problemOf(changed(path, value))).toContain(`${path.at(-1)}: expected`);
  });

  it('is refused when it names a descriptor twice', () => {
    const numbers = LEAVES.filter(({ path }) => path.includes('descriptors') || path.at(-1) === 'descriptor');
    fc.assert(
      fc.property(fc.constantFrom(...numbers), fc.constantFrom(...numbers), (one, other) => {
        fc.pre(one !== other);
        expect(problemOf(changed(one.path, other.value))).toBe(
          'the hand-over record names one descriptor twice',
        );
      }),
    );
  });

  it('is refused, and nothing is thrown, whatever the line is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        expect(problemOf(line)).toMatch(/^the hand-over record (is not JSON|is not an object|has version)/);
      }),
    );
  });
});

describe('the successor', () => {
  let directory = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tanist-handover-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  /** A descriptor from which the bytes can be read, and nothing after them. */
  const descriptorWith = (bytes: string | Uint8Array): number => {
    const path = join(directory, 'bytes');
    writeFileSync(path, bytes);
    const descriptor = openSync(path, 'r');
    onTestFinished(() => closeSync(descriptor));
    return descriptor;
  };

  const refusalOf = (bytes: string | Uint8Array): HandoverRefused => {
    try {
      readHandover(descriptorWith(bytes));
    } catch (error) {
      if (error instanceof HandoverRefused) return error;
      throw error;
    }
    throw new Error('the record was accepted');
  };

  it('reads the record and leaves what follows it to whoever opens the stream', async () => {
    const [one, other] = await socketPair(directory);
    onTestFinished(() => closeSync(other));
    writeSync(other, `${formatRecord(RECORD)}\n{"say":"dra`);
    expect(readHandover(one)).toEqual({ record: RECORD, messages: one });
    writeSync(other, 'ining"}\n');
    let heard = '';
    const stream = new Streams().open(one, {
      onData: (chunk) => {
        heard += Buffer.from(chunk).toString('utf8');
      },
      onEnd: () => undefined,
    });
    onTestFinished(() => stream.close());
    await vi.waitFor(() => expect(heard).toBe('{"say":"draining"}\n'));
  });

  it('reads a name of any alphabet', () => {
    const record = { ...RECORD, pidFile: '/run/größer 日本\n.pid' };
    expect(readHandover(descriptorWith(`${formatRecord(record)}\n`)).record).toEqual(record);
  });

  it('refuses a line that does not end, wherever it was cut: incompatible', () => {
    const line = formatRecord(RECORD);
    for (const length of [0, 1, line.length - 1, line.length]) {
      const { reason, message } = refusalOf(line.slice(0, length));
      expect([reason, message]).toEqual(['incompatible', 'the hand-over record is not one whole line']);
    }
  });

  it('refuses a line that is too long: incompatible', () => {
    const { reason, message } = refusalOf(Buffer.alloc(SUCCESSION_LINE_BYTES + 1, ' '));
    expect([reason, message]).toEqual(['incompatible', 'the hand-over record is not one whole line']);
  });

  it('refuses what it cannot read in the words of the parser: incompatible', () => {
    const { reason, message } = refusalOf(`${JSON.stringify({ ...RECORD, version: 99 })}\n`);
    expect([reason, message]).toEqual([
      'incompatible',
      'the hand-over record has version 99, this tanist reads 1',
    ]);
  });

  it('is one only if the variable names a socket', async () => {
    const [one, other] = await socketPair(directory);
    onTestFinished(() => [one, other].forEach(closeSync));
    const file = descriptorWith('');
    const named = (text: string | undefined) => handoverDescriptor({ TANIST_HANDOVER_FD: text });
    expect(named(String(one))).toBe(one);
    for (const text of [undefined, '', 'three', '-1', '3.5', '99999', '9999', String(file)]) {
      expect(named(text)).toBeNull();
    }
  });

  it('tells the predecessor why it refuses, and does not mind if nobody is there', async () => {
    const [one, other] = await socketPair(directory);
    onTestFinished(() => closeSync(one));
    refuseHandover(one, 'incompatible', 'because');
    const buffer = Buffer.alloc(200);
    const text = buffer.toString('utf8', 0, readSync(other, buffer, 0, 200, null));
    expect(JSON.parse(text)).toEqual({ say: 'failed', reason: 'incompatible', detail: 'because' });
    closeSync(other);
    expect(() => refuseHandover(one, 'incompatible', 'because')).not.toThrow();
  });
});

describe('what a reload cannot change', () => {
  const settingsOf = (options: object): Settings =>
    resolveSettings(
      { command: 'web', name: 'web', pidFile: '/run/web.pid', ...options },
      {
        env: {},
        cwd: '/',
        uid: 0,
        platform: 'linux',
        accounts: {
          user: (name) => (name === 'www' ? { name, uid: 33, gid: 33, home: '/var/www' } : null),
          group: (name) => (name === 'staff' ? { name, gid: 50 } : null),
        },
      },
    ).settings;

  const LISTEN = ['127.0.0.1:8080', 'admin=unix:/run/admin.sock'];

  const differenceOf = (
    options: object,
    record: HandoverRecord = RECORD,
    deviation: string | null = null,
  ): string => {
    try {
      const settings = settingsOf({ listen: LISTEN, ...options });
      checkHandover({ record, messages: 3 }, settings, () => deviation);
      return 'none';
    } catch (error) {
      if (!(error instanceof HandoverRefused)) throw error;
      expect(error.reason).toBe('incompatible');
      return error.message;
    }
  };

  const bound = (...addresses: string[]): HandoverRecord => ({
    ...RECORD,
    listeners: addresses.map((address, index) => ({
      name: `listen${index}`,
      address,
      descriptor: 10 + index,
    })),
  });

  it('is nothing of what may change between two versions', () => {
    expect(differenceOf({})).toBe('none');
    expect(differenceOf({ workers: 7, command: 'other', drainTimeoutMs: 1, respawn: 'fixed' })).toBe('none');
    expect(differenceOf({}, { ...RECORD, tanist: '99.0.0' })).toBe('none');
  });

  it.each([
    [{ name: 'other' }, 'name is "other" here and "web" in the running daemon: a reload cannot change it'],
    [
      { pidFile: '/run/other.pid' },
      'pidFile is "/run/other.pid" here and "/run/web.pid" in the running daemon: a reload cannot change it',
    ],
    [
      { pidFile: undefined, noPidFile: true },
      'pidFile is none here and "/run/web.pid" in the running daemon: a reload cannot change it',
    ],
    [
      { control: '/run/other.sock' },
      'control is "/run/other.sock" here and "/run/web.sock" in the running daemon: a reload cannot change it',
    ],
    [
      { handoff: 'exclusive' },
      'handoff is "exclusive" here and "overlap" in the running daemon: a reload cannot change it',
    ],
  ])('is told: %j', (options, message) => {
    expect(differenceOf(options)).toBe(message);
  });

  const WWW = { user: 'www', uid: 33, gid: 33 };

  it('S11: is whom it runs as: a successor inherits that, and changes nothing', () => {
    const asWww = { ...RECORD, account: WWW };
    expect(differenceOf({ user: 'www' }, asWww)).toBe('none');
    expect(differenceOf({ user: 'www', group: 'staff' }, asWww)).toBe(
      'it runs as www (uid 33, gid 50) here and www (uid 33, gid 33) in the running daemon: a reload cannot change it',
    );
    expect(differenceOf({}, asWww)).toContain('it runs as whoever starts it here and www (uid 33, gid 33)');
    expect(differenceOf({ user: 'www' })).toContain('www (uid 33, gid 33) here and whoever starts it');
  });

  it('S11: is the process itself, if that is not whom its options say', () => {
    const asWww = { ...RECORD, account: WWW };
    expect(differenceOf({ user: 'www' }, asWww, 'its egid is 0, 33 was expected')).toBe(
      'this process is not www (uid 33, gid 33): its egid is 0, 33 was expected: a reload cannot change it',
    );
    // Where nobody asked for a user, the process is whoever it is.
    expect(differenceOf({}, RECORD, 'its uid is 7')).toBe('none');
  });

  it('is the control socket also of one without pid file, and knows the usual one by its place', () => {
    const pidless = { ...RECORD, pidFile: null, descriptors: { ...RECORD.descriptors, lock: null } };
    const options = { pidFile: undefined, noPidFile: true };
    expect(differenceOf(options, pidless)).toBe('none');
    expect(differenceOf({ ...options, control: '/c' }, { ...pidless, control: '/c' })).toBe('none');
    expect(differenceOf(options, { ...pidless, control: '/c' })).toBe(
      'control is none here and "/c" in the running daemon: a reload cannot change it',
    );
    expect(differenceOf({ control: '/run/web.sock' })).toBe('none');
    expect(differenceOf({}, { ...RECORD, control: '/run/web.sock' })).toBe('none');
  });

  it.each([
    ['another port', ['127.0.0.1:8081', LISTEN[1]]],
    ['another host', ['0.0.0.0:8080', LISTEN[1]]],
    ['another path', [LISTEN[0], 'admin=unix:/run/other.sock']],
    ['another name', [LISTEN[0], 'other=unix:/run/admin.sock']],
    ['another order', [`admin=${'unix:/run/admin.sock'}`, 'listen0=127.0.0.1:8080']],
    ['one less', [LISTEN[0]]],
    ['one more', [...LISTEN, '127.0.0.1:9090']],
    ['none', []],
  ])('is the listeners: %s', (_, listeners) => {
    expect(differenceOf({ listen: listeners, handoff: 'overlap' })).toMatch(
      /^the listeners are ".*" here and "listen0=127\.0\.0\.1:8080 admin=unix:\/run\/admin\.sock" in the running daemon: a reload cannot change it$/,
    );
  });

  it('knows an address again however it was written, and port 0 whatever it became', () => {
    expect(differenceOf({ listen: ['8080'] }, bound('0.0.0.0:8080'))).toBe('none');
    expect(differenceOf({ listen: ['[0:0:0:0:0:0:0:1]:8080'] }, bound('[::1]:8080'))).toBe('none');
    expect(differenceOf({ listen: ['127.0.0.1:0'] }, bound('127.0.0.1:43210'))).toBe('none');
    expect(differenceOf({ listen: ['127.0.0.1:0', '1'] }, bound('127.0.0.1:43210', '0.0.0.0:2'))).toContain(
      'the listeners are "listen0=127.0.0.1:0 listen1=0.0.0.0:1" here',
    );
  });

  it('knows what was inherited by the way it was asked for, and all of socket activation as one', () => {
    const [first, second] = bound('127.0.0.1:80', 'unix:/run/x').listeners;
    const own = { name: 'listen1', address: '127.0.0.1:4711', descriptor: 12 };
    const activated = [
      { ...first, name: 'web', origin: 'systemd' },
      { ...second, name: 'admin', origin: 'systemd' },
      own,
    ] as BoundListener[];
    const record = { ...RECORD, listeners: activated };
    expect(differenceOf({ listen: ['systemd', '127.0.0.1:0'] }, record)).toBe('none');
    expect(differenceOf({ listen: ['systemd', '127.0.0.1:1'] }, record)).toContain(
      '"systemd listen1=127.0.0.1:1" here and "systemd listen1=127.0.0.1:4711" in the running daemon',
    );
    expect(differenceOf({ listen: ['127.0.0.1:80', 'systemd'] }, record)).toContain('the listeners are');
    const passed = { ...RECORD, listeners: [{ ...first, origin: 'fd:3' }] as BoundListener[] };
    expect(differenceOf({ listen: ['fd:3'] }, passed)).toBe('none');
    expect(differenceOf({ listen: ['fd:4'] }, passed)).toContain('"listen0=fd:4" here and "listen0=fd:3" in');
    // The same address, but nobody has bound it for this daemon: a later start would behave differently.
    expect(differenceOf({ listen: ['127.0.0.1:80'] }, passed)).toContain('and "listen0=fd:3" in');
    expect(differenceOf({ listen: ['127.0.0.1:0'] }, passed)).toContain('and "listen0=fd:3" in');
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  );

  it.skipIf(!hasIpv6)(
    'calls a listener what it was asked for, also where the system has another spelling',
    async () => {
      for (const address of ['[::ffff:127.0.0.1]:0', '[::1]:0', '127.0.0.1:0']) {
        const [spec] = settingsOf({ listen: [address] }).listen;
        if (spec?.kind !== 'tcp') throw new Error('a TCP address was read as another');
        const { descriptor, address: told } = await listen(spec);
        onTestFinished(() => closeSync(descriptor));
        const port = told.slice(told.lastIndexOf(':') + 1);
        const again = settingsOf({ listen: [address.replace(/:0$/, `:${port}`)] });
        expect(() => checkHandover({ record: bound(told), messages: 3 }, again, () => null)).not.toThrow();
      }
    },
  );
});
