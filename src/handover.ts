/**
 * Being a successor: the record is checked against our own settings, or refused.
 */
import { type HandoverRecord, parseRecord } from '../machines/handover.js';
import type { Settings } from '../machines/policy.js';
import type { ReloadReason } from '../machines/status.js';

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

const addressOf = (spec: Settings['listen'][number]): string => {
  if (spec.kind === 'unix') return `unix:${spec.path}`;
  return spec.host.includes(':') ? `[${spec.host}]:${spec.port}` : `${spec.host}:${spec.port}`;
};

/** What a reload cannot change, in words; null when all is the same. */
const difference = (record: HandoverRecord, settings: Settings): string | null => {
  for (const key of ['name', 'pidFile', 'handoff'] as const) {
    if (record[key] !== settings[key])
      return `${key} is ${JSON.stringify(settings[key])} here and ${JSON.stringify(record[key])} in the running daemon`;
  }
  const asked = settings.listen.map((spec) => `${spec.name}=${addressOf(spec)}`).join(' ');
  const inherited = record.listeners.map((listener, index) => {
    const spec = settings.listen[index];
    // Port 0 was any port: whatever it became is what was asked for.
    const anyPort = spec?.kind === 'tcp' && spec.port === 0;
    return `${listener.name}=${anyPort ? addressOf(spec) : listener.address}`;
  });
  return asked === inherited.join(' ')
    ? null
    : `the listeners are "${asked}" here and "${inherited.join(' ')}" in the running daemon`;
};

/** @throws {HandoverRefused} `incompatible`, naming the difference. */
export const checkHandover = ({ record }: Handover, settings: Settings): void => {
  const what = difference(record, settings);
  if (what !== null) throw new HandoverRefused('incompatible', `${what}: a reload cannot change it`);
};
