/**
 * What the commands about a journal are told.
 */
import { resolve } from 'node:path';
import type { SettingsContext } from '../config.js';
import { readLoopbackAddress } from '../settings/listen-spec.js';
import { type Mistake, type Reader, usageError, wrongValue } from '../settings/mistake.js';
import { readFilePath } from '../settings/run-directory.js';
import type { CommandSpec } from '../words/options.js';
import type { Words } from '../words/words.js';
import { interleaved, readTarget, valueReader } from './client-arguments.js';
import type { InspectArguments } from './commands/inspect.js';
import type { ReplayArguments } from './commands/replay.js';
import type { Question, WhyArguments } from './commands/why.js';

export const parseReplay = (
  spec: CommandSpec,
  first: Words,
  before: readonly Mistake[],
  context: SettingsContext,
): ({ readonly command: 'replay' } & ReplayArguments) | Inspect => {
  const words = interleaved(spec, first, Number.POSITIVE_INFINITY);
  const mistakes = [...before, ...words.mistakes.slice(first.mistakes.length)];
  const until = valueReader(words, mistakes)('--until', readSeq) ?? null;
  if (words.operands.length === 0)
    mistakes.push({ option: 'FILE', message: 'FILE is missing: expected a journal' });
  if (mistakes.length > 0) throw usageError(mistakes);
  const files = words.operands.map((file) => resolve(context.cwd, file));
  const json = words.values.has('--json');
  if (!words.values.has('--inspect')) return { command: 'replay', files, until, json };
  return {
    command: 'inspect',
    source: { journals: files },
    ...LOCALLY,
    controls: false,
    untilEnd: false,
    json,
  };
};

type Inspect = { readonly command: 'inspect' } & InspectArguments;

const LOCALLY = { host: '127.0.0.1', port: 0 } as const;

export const parseInspect = (words: Words, before: readonly Mistake[], context: SettingsContext): Inspect => {
  const mistakes = [...before];
  const read = valueReader(words, mistakes);
  const target = readTarget(read, mistakes, context);
  const { host, port } = read('--address', readLoopbackAddress) ?? LOCALLY;
  const journals = (words.values.get('--journal') ?? []).map((file) => resolve(context.cwd, file));
  const controls = words.values.has('--inspect-control');
  if (controls && journals.length > 0)
    mistakes.push({ option: '--inspect-control', message: '--inspect-control: a recording obeys nobody' });
  const untilEnd = words.values.has('--until-end');
  if (untilEnd && journals.length > 0)
    mistakes.push({ option: '--until-end', message: '--until-end: a recording has ended' });
  if (mistakes.length > 0) throw usageError(mistakes);
  const source = journals.length > 0 ? { journals } : { target };
  return { command: 'inspect', source, host, port, controls, untilEnd, json: words.values.has('--json') };
};

const readQuestion = (raw: string | undefined): Question | null => {
  if (raw === undefined) return { kind: 'all' };
  if (raw === 'last-reload') return { kind: 'last-reload' };
  const [, kind, digits] = /^(?:(slot|pid):)?(\d{1,9})$/.exec(raw) ?? [];
  const number = Number(digits);
  if (digits === undefined || number === 0) return null;
  if (kind === 'slot') return { kind, slot: number };
  return kind === 'pid' ? { kind, pid: number } : { kind: 'number', number };
};

export const parseWhy = (
  spec: CommandSpec,
  first: Words,
  before: readonly Mistake[],
  context: SettingsContext,
): { readonly command: 'why' } & WhyArguments => {
  const words = interleaved(spec, first, 1);
  const mistakes = [...before, ...words.mistakes.slice(first.mistakes.length)];
  const read = valueReader(words, mistakes);
  const [raw] = words.operands;
  const question = readQuestion(raw);
  if (question === null)
    mistakes.push(wrongValue('SUBJECT', raw, 'a slot, a pid, slot:1, pid:42 or last-reload'));
  const journal = read('--journal', readFilePath);
  const target = readTarget(read, mistakes, context);
  if (mistakes.length > 0 || question === null) throw usageError(mistakes);
  return {
    command: 'why',
    question,
    target,
    journal: journal === undefined ? null : resolve(context.cwd, journal),
    json: words.values.has('--json'),
  };
};

const readSeq: Reader<number> = (raw) =>
  typeof raw === 'string' && /^\d{1,15}$/.test(raw)
    ? { value: Number(raw) }
    : { expected: 'the number of an event' };
