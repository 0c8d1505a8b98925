import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LineFact, LineSplitter } from '../../src/protocol/lines.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const line = (text: string): LineFact => ({ kind: 'line', text });

/** What a splitter makes of the bytes when they come in the given pieces. */
const split = (chunks: readonly Uint8Array[], maxLineBytes = 4096): LineFact[] => {
  const splitter = new LineSplitter(maxLineBytes);
  return chunks.flatMap((chunk) => splitter.push(chunk));
};

describe('the line splitter', () => {
  it('joins what belongs together and separates what came together', () => {
    expect(split([bytes('pi'), bytes('ng\nta'), bytes('keover\nping\n\n')])).toEqual(
      ['ping', 'takeover', 'ping', ''].map(line),
    );
  });

  it('does not report what follows the last newline', () => {
    expect(split([bytes('ping\ntakeo')])).toEqual([line('ping')]);
  });

  it('joins a character that was cut between two chunks', () => {
    const whole = bytes('status größer\n');
    expect(split([whole.subarray(0, 10), whole.subarray(10)])).toEqual([line('status größer')]);
  });

  it('keeps a carriage return and a byte order mark: they make another word', () => {
    expect(split([bytes('ping\r\n\uFEFFping\n')])).toEqual([line('ping\r'), line('\uFEFFping')]);
  });

  it('reports a line that is not UTF-8, with an excerpt, and goes on', () => {
    const facts = split([Uint8Array.of(0x61, 0xff, 0x62, 0x0a), bytes('ping\n')]);
    expect(facts).toEqual([{ kind: 'invalid', reason: 'not-utf-8', excerpt: 'a\uFFFDb' }, line('ping')]);
  });

  it('keeps the excerpt of a long line short', () => {
    const [fact] = split([new Uint8Array(1000).fill(0xff), bytes('\n')]);
    expect(fact?.kind === 'invalid' && fact.excerpt.length).toBe(80);
  });

  it('counts the newline: a line of exactly the limit is a line, one byte more is not', () => {
    expect(split([bytes('1234567\n')], 8)).toEqual([line('1234567')]);
    expect(split([bytes('12345678\n')], 8)).toEqual([{ kind: 'oversized' }]);
    expect(split([bytes('1234'), bytes('567'), bytes('\n')], 8)).toEqual([line('1234567')]);
    expect(split([bytes('1234'), bytes('567'), bytes('8')], 8)).toEqual([{ kind: 'oversized' }]);
  });

  it('reports an oversized line once, after what came before it, and ignores what follows', () => {
    const splitter = new LineSplitter(8);
    expect(splitter.push(bytes('ping\n123456789\nping\n'))).toEqual([line('ping'), { kind: 'oversized' }]);
    expect(splitter.closed).toBe(true);
    expect(splitter.push(bytes('ping\n'))).toEqual([]);
  });

  it('does not keep the chunk it was given', () => {
    const splitter = new LineSplitter(64);
    const chunk = bytes('pi');
    splitter.push(chunk);
    chunk.fill(0);
    expect(splitter.push(bytes('ng\n'))).toEqual([line('ping')]);
  });

  it('yields the same lines for every way of cutting the same bytes', () => {
    const anyBytes = fc
      .array(fc.oneof(fc.string({ unit: 'grapheme' }).map(bytes), fc.uint8Array({ maxLength: 12 })))
      .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part, 0x0a])));
    fc.assert(
      fc.property(anyBytes, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (whole, sizes) => {
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < whole.length; ) {
          const size = sizes.next().value as number;
          chunks.push(whole.subarray(at, at + size));
          at += size;
        }
        expect(split(chunks, 16)).toEqual(split([whole], 16));
      }),
    );
  });

  it('yields every line as it was when all are short and valid', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }).filter((t) => !t.includes('\n')));
    fc.assert(
      fc.property(texts, (lines) => {
        expect(split([bytes(lines.map((text) => `${text}\n`).join(''))])).toEqual(lines.map(line));
      }),
    );
  });

  it('reads 50 MB without a newline in little memory and time, whatever the limit', () => {
    const chunk = new Uint8Array(65_536).fill(0x61);
    const before = process.memoryUsage().arrayBuffers;
    for (const maxLineBytes of [4096, 2 ** 20]) {
      const splitter = new LineSplitter(maxLineBytes);
      const facts = Array.from({ length: 800 }, () => splitter.push(chunk)).flat();
      expect(facts).toEqual([{ kind: 'oversized' }]);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20);
  });

  it('takes one long line byte by byte without looking at it again', () => {
    const splitter = new LineSplitter(2 ** 20);
    const one = bytes('a');
    for (let count = 0; count < 1_000_000; count += 1) splitter.push(one);
    const [fact] = splitter.push(bytes('\n'));
    expect(fact?.kind === 'line' && fact.text.length).toBe(1_000_000);
  });
});
