import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AskedAddress, readListenArguments } from '../../src/adopt/listen-arguments.js';
import { matchListener, spelled } from '../../src/adopt/matching.js';

const listeners = (...addresses: string[]) =>
  addresses.map((address, index) => ({ name: `listen${index}`, fd: 3 + index, address }));

const asked = (...args: unknown[]): AskedAddress => {
  const reading = readListenArguments(args);
  if (reading.kind !== 'address') throw new Error(`not an address: ${JSON.stringify(args)}`);
  return reading;
};

/** The descriptor that a call of `listen()` gets, with a mark if it is wider than asked; null for none. */
const got = (addresses: string[], ...args: unknown[]): string | null => {
  const match = matchListener(asked(...args), listeners(...addresses));
  return match === null ? null : `${match.listener.fd}${match.isWider ? ' wider' : ''}`;
};

describe('the arguments of listen()', () => {
  const done = () => undefined;

  it.each([
    [[3000], { port: 3000, host: null, path: null, callback: null }],
    [['3000', done], { port: 3000, host: null, callback: done }],
    [[3000, '127.0.0.1', 511, done], { port: 3000, host: '127.0.0.1', callback: done }],
    [[3000, 511], { port: 3000, host: null }],
    [[3000, undefined, done], { port: 3000, host: null, callback: done }],
    [['/run/a.sock', done], { port: null, path: '/run/a.sock', callback: done }],
    [[{ port: '3000', host: '::1', path: '/ignored' }, done], { port: 3000, host: '::1', path: null }],
    [[{ path: '/run/a.sock' }], { path: '/run/a.sock', port: null }],
    [[{ port: 3000, host: '' }], { port: 3000, host: null }],
  ])('%j are read as Node reads them', (args, expected) => {
    expect(readListenArguments(args)).toMatchObject({ kind: 'address', ...expected });
  });

  it('hold the signal that takes the listening back', () => {
    const { signal } = new AbortController();
    expect(asked({ port: 3000, signal }).signal).toBe(signal);
  });

  it.each([
    [[]],
    [[0]],
    [[done]],
    [[{}]],
    [[{ port: 0 }]],
    [[70_000]],
    [[{ port: 'x' }]],
    [['\0abstract']],
    [[{ _handle: {} }]],
  ])('%j mean no certain address', (args) => {
    expect(readListenArguments(args)).toEqual({ kind: 'other' });
  });

  it('name a descriptor before anything else', () => {
    expect(readListenArguments([{ fd: 3, port: 3000 }])).toEqual({ kind: 'descriptor', fd: 3 });
  });
});

describe('the listener for an address', () => {
  it('has the same port', () => {
    expect(got(['127.0.0.1:8080'], 8081)).toBeNull();
    expect(got(['127.0.0.1:8080', '127.0.0.1:8081'], 8081)).toBe('4');
  });

  it('is any of that port for a program that listens everywhere', () => {
    expect(got(['127.0.0.1:8080'], 8080)).toBe('3');
    expect(got(['10.0.0.1:8080'], 8080, '0.0.0.0')).toBe('3');
    expect(got(['10.0.0.1:8080'], 8080, '::')).toBe('3');
    expect(got(['10.0.0.1:8080', '0.0.0.0:8080'], 8080)).toBe('4');
  });

  it('is the same address, however that is written', () => {
    expect(got(['[::1]:8080'], 8080, '0:0:0:0:0:0:0:1')).toBe('3');
    expect(got(['10.0.0.1:8080', '10.0.0.2:8080'], 8080, '10.0.0.2')).toBe('4');
    expect(got(['10.0.0.1:8080'], 8080, '10.0.0.2')).toBeNull();
  });

  it('may be another one of the same machine where the program says localhost', () => {
    expect(got(['127.0.0.1:8080'], 8080, 'localhost')).toBe('3');
    expect(got(['[::1]:8080'], 8080, 'localhost')).toBe('3');
    expect(got(['127.0.0.1:8080'], 8080, '::1')).toBe('3');
    expect(got(['127.0.0.1:8080', '[::1]:8080'], 8080, '::1')).toBe('4');
    expect(got(['10.0.0.1:8080'], 8080, 'localhost')).toBeNull();
  });

  it('on all addresses serves a program that asks for one, and is marked as wider', () => {
    expect(got(['0.0.0.0:8080'], 8080, '127.0.0.1')).toBe('3 wider');
    expect(got(['[::]:8080'], 8080, 'example.test')).toBe('3 wider');
    expect(got(['0.0.0.0:8080', '127.0.0.1:8080'], 8080, '127.0.0.1')).toBe('4');
  });

  it('is that of the same path, through whatever links', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tanist-path-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    mkdirSync(join(directory, 'real'));
    symlinkSync(join(directory, 'real'), join(directory, 'link'));
    const address = `unix:${directory}/real/a.sock`;
    expect(got(['127.0.0.1:8080', address], `${directory}/link/../link/a.sock`)).toBe('4');
    expect(got([address], `${directory}/real/b.sock`)).toBeNull();
    expect(got([address], `${directory}/none/a.sock`)).toBeNull();
  });

  it('is spelled as --listen takes it', () => {
    expect(spelled(asked(8080))).toBe('8080');
    expect(spelled(asked(8080, '127.0.0.1'))).toBe('127.0.0.1:8080');
    expect(spelled(asked(8080, '::1'))).toBe('[::1]:8080');
    expect(spelled(asked('/run/a.sock'))).toBe('unix:/run/a.sock');
  });
});
