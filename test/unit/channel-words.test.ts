import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHANNEL_LINE_BYTES, parseWorkerLine, statusLine } from '../../src/protocol/channel.js';

const sizeBytes = (text: string): number => new TextEncoder().encode(text).length;

describe("a worker's line", () => {
  it.each(['ping', 'takeover', 'shutdown'])('is understood: %s', (word) => {
    expect(parseWorkerLine(word)).toEqual({ word });
  });

  it('tells a status, which may be empty', () => {
    expect(parseWorkerLine('status 3 jobs  left')).toEqual({ word: 'status', text: '3 jobs  left' });
    expect(parseWorkerLine('status ')).toEqual({ word: 'status', text: '' });
    expect(parseWorkerLine('status')).toEqual({ word: 'status', text: '' });
  });

  it.each(['', 'Ping', 'ping ', ' ping', 'ping\r', 'statuses', 'constructor', 'pong', 'ok'])(
    'is unknown unless it is the very word: %j',
    (text) => {
      expect(parseWorkerLine(text)).toEqual({ word: 'unknown', text });
    },
  );
});

describe('a status line', () => {
  it('says what it was given', () => {
    expect(statusLine('3 jobs left')).toBe('status 3 jobs left');
  });

  it('is one line, whatever the text', () => {
    expect(statusLine('a\r\nb\n\nc')).toBe('status a b c');
  });

  it('uses the whole line where it can, and never half a character', () => {
    const room = CHANNEL_LINE_BYTES - sizeBytes('status \n');
    expect(sizeBytes(statusLine('a'.repeat(9000)))).toBe(CHANNEL_LINE_BYTES - 1);
    expect(statusLine(`${'a'.repeat(room - 1)}€`)).toBe(`status ${'a'.repeat(room - 1)}`);
    expect(statusLine(`${'a'.repeat(room - 4)}😀`)).toBe(`status ${'a'.repeat(room - 4)}😀`);
    expect(statusLine(`${'a'.repeat(room - 3)}😀`)).toBe(`status ${'a'.repeat(room - 3)}`);
  });

  it('fits the channel and is read back as the beginning of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', size: 'max', maxLength: 6000 }), (text) => {
        const line = statusLine(text);
        expect(sizeBytes(`${line}\n`)).toBeLessThanOrEqual(CHANNEL_LINE_BYTES);
        const read = parseWorkerLine(line);
        const flat = text.replaceAll(/[\r\n]+/g, ' ');
        expect(read.word === 'status' && flat.startsWith(read.text)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
