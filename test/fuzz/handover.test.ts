/**
 * Whatever a predecessor writes in place of a hand-over record, or says afterwards.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HANDOVER_VERSION, type HandoverRecord, parseRecord } from '../../machines/handover.js';
import { formatMessage, parseIdentities, parseMessage } from '../../src/protocol/succession.js';
import { FUZZ } from './runs.js';

const identity = fc.record({
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  startTime: fc.option(fc.string({ minLength: 1, maxLength: 12 })),
});

/** Descriptors from 3 on, none twice. */
const numbers = fc.uniqueArray(fc.integer({ min: 3, max: 2_000 }), { minLength: 16, maxLength: 16 });

const record: fc.Arbitrary<HandoverRecord> = fc
  .record({
    numbers,
    name: fc.string({ minLength: 1, maxLength: 20 }),
    handoff: fc.constantFrom('overlap' as const, 'exclusive' as const),
    generation: fc.integer({ min: 2, max: 1_000_000 }),
    predecessor: identity,
    workers: fc.array(identity, { maxLength: 4 }),
    ids: fc.array(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 3 }),
    hangupStops: fc.boolean(),
    listeners: fc.nat(4),
  })
  .map(({ numbers: [lock, token, lifeWrite, lifeRead, peerRead, fence, ...rest], listeners, ...others }) => ({
    version: HANDOVER_VERSION,
    tanist: '0.1.0',
    pidFile: '/run/web.pid',
    requestedAtMs: 1_700_000_000_000,
    ...others,
    descriptors: {
      lock: lock ?? 3,
      token: token ?? 4,
      lifeWrite: lifeWrite ?? 5,
      lifeRead: lifeRead ?? 6,
      peerRead: peerRead ?? 7,
      fence: others.handoff === 'exclusive' ? (fence ?? 8) : null,
    },
    listeners: rest.slice(0, listeners).map((descriptor, index) => ({
      name: `listen${index}`,
      address: `127.0.0.1:${8_000 + index}`,
      descriptor,
    })),
  }));

/** Every place of a value, as the keys that lead there. */
const placesOf = (
  value: unknown,
  path: readonly (string | number)[] = [],
): (readonly (string | number)[])[] =>
  typeof value !== 'object' || value === null
    ? [path]
    : [path, ...Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]))];

const valueAt = (value: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce((inner: unknown, key) => (inner as Record<string | number, unknown>)[key], value);

const replaced = (value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown => {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
};

/** What stands in a place where it does not belong: anything, or what stands in another place. */
const junk = fc.oneof(
  fc.jsonValue().map((value) => ({ value })),
  fc.nat().map((copyOf) => ({ copyOf })),
);

/** A record is believed only if all of this holds. */
const holds = ({ descriptors, listeners, generation, workers, predecessor }: HandoverRecord): boolean => {
  const { fence, ...own } = descriptors;
  const all = [
    ...Object.values(own).filter((one) => typeof one === 'number'),
    ...(fence === null ? [] : [fence]),
    ...listeners.map((listener) => listener.descriptor),
  ];
  return (
    all.every((descriptor) => Number.isSafeInteger(descriptor) && descriptor >= 3) &&
    new Set(all).size === all.length &&
    Number.isSafeInteger(generation) &&
    generation >= 2 &&
    [predecessor, ...workers].every(({ pid }) => Number.isSafeInteger(pid) && pid >= 1)
  );
};

describe('whatever stands in place of a hand-over record', () => {
  it('is refused in words, or is a record that holds', () => {
    fc.assert(
      fc.property(record, fc.nat(), junk, fc.nat(9), (valid, at, wrong, luck) => {
        expect(parseRecord(JSON.stringify(valid))).toEqual({ ok: true, record: valid });
        const places = placesOf(valid);
        const place = (index: number) => places[index % places.length] ?? [];
        const by = 'copyOf' in wrong ? valueAt(valid, place(wrong.copyOf)) : wrong.value;
        const text = JSON.stringify(replaced(valid, place(at), by));
        const cut = luck === 0;
        const parsed = parseRecord(cut ? text.slice(0, at % (text.length + 1)) : text);
        if (parsed.ok) expect(holds(parsed.record)).toBe(true);
        else expect(parsed.problem).toMatch(/^the hand-over record /);
      }),
      FUZZ,
    );
  }, 120_000);
});

describe('whatever is said on the socket between two generations', () => {
  it('is a message, or is ignored', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (line) => {
          const message = parseMessage(line);
          if (message === null) return;
          expect(typeof message.say).toBe('string');
          expect(parseMessage(formatMessage(message).trimEnd())).toEqual(message);
        },
      ),
      FUZZ,
    );
  }, 120_000);

  it('names processes that could exist, or none', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(identity, fc.jsonValue())), (list) => {
        for (const { pid, startTime } of parseIdentities(JSON.parse(JSON.stringify(list)))) {
          expect(Number.isSafeInteger(pid) && pid >= 1).toBe(true);
          expect(startTime === null || typeof startTime === 'string').toBe(true);
        }
      }),
      FUZZ,
    );
  }, 120_000);
});
