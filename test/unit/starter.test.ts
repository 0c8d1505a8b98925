import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStarterLine, READY, type StarterMessage, starterLine } from '../../src/protocol/starter.js';

const parsed = (message: StarterMessage) => parseStarterLine(starterLine(message).trimEnd());

test('what a daemon says of its start is understood as it was said', () => {
  expect(parsed(READY)).toEqual(READY);
  const failed: StarterMessage = { say: 'failed', code: 'TANIST_LOCK_HELD', message: 'a\nb', hint: 'c' };
  expect(parsed(failed)).toEqual(failed);
});

test('anything else is no message', () => {
  for (const line of [
    '',
    'ready',
    '1',
    'null',
    '{}',
    '{"say":"failed"}',
    '{"say":"failed","code":1,"message":"x"}',
  ])
    expect(parseStarterLine(line)).toBeNull();
  fc.assert(fc.property(fc.string(), (line) => parseStarterLine(line) === null));
});
