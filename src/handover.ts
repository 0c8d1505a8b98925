/**
 * Being a successor: the record is checked against our own settings, or refused.
 */
import type { BoundListener } from '../machines/events.js';
import { type HandoverRecord, parseRecord } from '../machines/handover.js';
import type { Account, ListenSpec, Settings } from '../machines/policy.js';
import type { ReloadReason } from '../machines/status.js';
import { accountText } from './settings/account.js';
import { controlPathOf } from './settings/run-directory.js';

export interface Handover {
  readonly record: HandoverRecord;
  /** Descriptor of the socket to the predecessor. */
  readonly messages: number;
}

/** Why this process cannot succeed; the predecessor is told these words. */
export class HandoverRefused extends Error {
  override readonly name = 'HandoverRefused';
  readonly reason: ReloadReason;

  constructor(reason: ReloadReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** @throws {HandoverRefused} `incompatible`. */
export const parseHandover = (line: string, messages: number): Handover => {
  const parsed = parseRecord(line);
  if (!parsed.ok) throw new HandoverRefused('incompatible', parsed.problem);
  return { record: parsed.record, messages };
};

/** As it was asked for, with its name. */
export const textOf = (spec: ListenSpec): string => {
  switch (spec.kind) {
    case 'systemd':
      return spec.name;
    case 'fd':
      return `${spec.name}=fd:${spec.descriptor}`;
    case 'unix':
      return `${spec.name}=unix:${spec.path}`;
    case 'tcp':
      return `${spec.name}=${spec.host.includes(':') ? `[${spec.host}]` : spec.host}:${spec.port}`;
  }
};

/** Listeners in the words in which they were asked for: all of socket activation in one. */
const askedFor = (listeners: readonly BoundListener[], specs: readonly ListenSpec[]): readonly string[] =>
  listeners
    .filter(({ origin }, index) => origin !== 'systemd' || listeners[index - 1]?.origin !== 'systemd')
    .map(({ name, address, origin }, index) => {
      if (origin === 'systemd') return origin;
      const spec = specs[index];
      // Port 0 was any port: whatever it became is what was asked for.
      if (spec?.kind === 'tcp' && spec.port === 0 && spec.name === name && origin === undefined)
        return textOf(spec);
      return `${name}=${origin ?? address}`;
    });

const wordOf = (value: string | null): string => (value === null ? 'none' : JSON.stringify(value));

/** What a reload cannot change, in words; null when all is the same. */
const difference = (record: HandoverRecord, settings: Settings): string | null => {
  const [ours, theirs] = [settings.account, record.account ?? null];
  if (ours?.uid !== theirs?.uid || ours?.gid !== theirs?.gid)
    return `it runs as ${accountText(ours)} here and ${accountText(theirs)} in the running daemon`;
  const { name, pidFile, handoff } = record;
  const control = record.control === undefined && pidFile !== null ? controlPathOf(pidFile) : record.control;
  const there = { name, pidFile, control: control ?? null, handoff };
  for (const key of ['name', 'pidFile', 'control', 'handoff'] as const) {
    if (there[key] !== settings[key])
      return `${key} is ${wordOf(settings[key])} here and ${wordOf(there[key])} in the running daemon`;
  }
  const asked = settings.listen.map(textOf).join(' ');
  const inherited = askedFor(record.listeners, settings.listen).join(' ');
  return asked === inherited
    ? null
    : `the listeners are "${asked}" here and "${inherited}" in the running daemon`;
};

/**
 * @param deviation how this process differs from whom it is to run as, in words; null where it does not.
 * @throws {HandoverRefused} `incompatible`, naming the difference.
 */
export const checkHandover = (
  { record }: Handover,
  settings: Settings,
  deviation: (account: Account) => string | null,
): void => {
  const odd = settings.account && deviation(settings.account);
  const what =
    difference(record, settings) ??
    (odd === null ? null : `this process is not ${accountText(settings.account)}: ${odd}`);
  if (what !== null) throw new HandoverRefused('incompatible', `${what}: a reload cannot change it`);
};
