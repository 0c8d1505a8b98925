/**
 * Whatever a worker writes to its channel: the real actor on a channel that the test holds.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor, setup } from 'xstate';
import type { ChannelFact } from '../../machines/events.js';
import { createChannel } from '../../src/actors/channel.js';
import type { Env, StreamHandlers } from '../../src/os/env.js';
import { CHANNEL_LINE_BYTES, parseWorkerLine, statusLine } from '../../src/protocol/channel.js';
import { LineSplitter } from '../../src/protocol/lines.js';
import { FUZZ, hostileBytes, inPieces } from './runs.js';

const WORDS = ['ping\n', 'takeover\n', 'shutdown\n', 'status ', 'status\n', 'ping', 'Ping\n', 'ok\n', '\n'];
const bytes = hostileBytes(WORDS, CHANNEL_LINE_BYTES + 8);
const cuts = fc.array(fc.nat(20_000), { maxLength: 6 });

interface Told {
  readonly facts: readonly ChannelFact[];
  readonly closed: boolean;
}

/** Gives the chunks to the actor, all within one second of its clock. */
const tell = (chunks: readonly Uint8Array[]): Told => {
  const facts: ChannelFact[] = [];
  let handlers: StreamHandlers | null = null;
  let closed = false;
  const env: Pick<Env, 'now' | 'openStream'> = {
    now: () => 5_000,
    openStream: (_, given) => {
      handlers = given;
      return {
        write: () => 0,
        close: () => {
          closed = true;
        },
      };
    },
  };
  const machine = setup({
    types: {} as { events: ChannelFact },
    actors: { channel: createChannel(env as Env) },
  }).createMachine({
    invoke: { src: 'channel', input: { channel: 7 } },
    on: { '*': { actions: ({ event }) => facts.push(event) } },
  });
  const actor = createActor(machine).start();
  // A stream that was closed delivers nothing more: so does Env.
  for (const chunk of chunks) if (!closed) (handlers as StreamHandlers | null)?.onData(chunk);
  const told = { facts: [...facts], closed };
  actor.stop();
  return told;
};

/** What the words mean, without regard to how often what was said together was told. */
const meaning = ({ facts, closed }: Told) => ({
  closed,
  pings: facts.reduce((sum, fact) => sum + (fact.type === 'ping.said' ? fact.count : 0), 0),
  others: [...new Set(facts.map(({ type }) => type))].filter((type) =>
    ['takeover.said', 'shutdown.said', 'channel.overflowed'].includes(type),
  ),
  status: facts.findLast((fact) => fact.type === 'status.said'),
});

describe('whatever a worker writes to its channel', () => {
  it('means the same in whatever pieces it arrives', () => {
    fc.assert(
      fc.property(bytes, cuts, (all, where) => {
        expect(meaning(tell(inPieces(all, where)))).toEqual(meaning(tell([all])));
      }),
      { ...FUZZ, numRuns: Math.ceil(FUZZ.numRuns / 3) },
    );
  }, 120_000);

  it('becomes facts that a second reading of the whole text gives too, and never more than it said', () => {
    fc.assert(
      fc.property(bytes, (all) => {
        const { facts, closed } = tell([all]);
        const lines = Buffer.from(all).toString('latin1').split('\n').slice(0, -1);
        const tooLong = lines.findIndex((line) => line.length + 1 > CHANNEL_LINE_BYTES);
        const read = tooLong < 0 ? lines : lines.slice(0, tooLong);
        const count = (word: string) => read.filter((line) => line === word).length;
        const told = meaning({ facts, closed });
        expect(told.pings).toBe(count('ping'));
        for (const word of ['takeover', 'shutdown']) {
          const said = facts.filter(({ type }) => type === `${word}.said`);
          expect(said.length).toBe(count(word) === 0 ? 0 : 1);
        }
        // Ten rejected lines a second are told, whatever comes.
        expect(facts.filter(({ type }) => type === 'line.rejected').length).toBeLessThanOrEqual(10);
        // A word each, what was said between them, and ten rejections: a flood costs no more.
        expect(facts.length).toBeLessThanOrEqual(Math.min(2 * read.length + 1, 20));
      }),
      FUZZ,
    );
  }, 120_000);

  it('costs one line of memory at most, and is never read after a line that is too long', () => {
    fc.assert(
      fc.property(bytes, cuts, (all, where) => {
        const splitter = new LineSplitter(64);
        let over = false;
        for (const chunk of inPieces(all, where)) {
          for (const fact of splitter.push(chunk)) {
            expect(over).toBe(false);
            over = fact.kind === 'oversized';
            if (fact.kind === 'line') expect(Buffer.byteLength(fact.text)).toBeLessThan(64);
          }
        }
        expect(splitter.closed).toBe(over);
      }),
      FUZZ,
    );
  }, 120_000);

  it('is one line again when a worker says a status, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 6_000 }), (text) => {
        const line = statusLine(text);
        expect(line).not.toMatch(/[\r\n]/);
        expect(Buffer.byteLength(line) + 1).toBeLessThanOrEqual(CHANNEL_LINE_BYTES);
        expect(parseWorkerLine(line).word).toBe('status');
      }),
      { ...FUZZ, numRuns: Math.ceil(FUZZ.numRuns / 10) },
    );
  }, 120_000);
});
