/**
 * The stream from the inspector, and orders to it.
 */
import type { Status } from '../../../machines/status.js';
import type { JournalEntry } from '../../journal/entry.js';

export interface Hello {
  readonly name: string;
  readonly mode: 'live' | 'recording';
  readonly controls: boolean;
  /** The page ends with the daemon. */
  readonly untilEnd?: boolean;
}

export interface LinkState {
  readonly state: 'connecting' | 'connected' | 'disconnected' | 'ended' | 'lost';
  readonly sinceMs: number;
}

export type UsageByPid = Readonly<
  Record<string, { readonly memoryBytes: number; readonly cpuPercent: number | null }>
>;

export interface Handlers {
  readonly onHello: (hello: Hello) => void;
  readonly onLink: (link: LinkState) => void;
  readonly onStatus: (status: Status) => void;
  readonly onUsage: (usage: UsageByPid) => void;
  readonly onEntries: (entries: readonly JournalEntry[]) => void;
  /** The inspector was started anew: what was told before is of another one. */
  readonly onReset: () => void;
}

export const openSource = (handlers: Handlers): void => {
  const source = new EventSource('/stream');
  const on = <T>(name: string, handle: (value: T) => void): void =>
    source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data) as T));
  on('hello', handlers.onHello);
  on('link', handlers.onLink);
  on('status', handlers.onStatus);
  on('usage', handlers.onUsage);
  on('entries', handlers.onEntries);
  on('reset', handlers.onReset);
  // The browser tries again by itself, and says where it was.
  source.addEventListener('error', () => handlers.onLink({ state: 'lost', sinceMs: Date.now() }));
};

/** @returns what became of it, in words. */
export const order = async (path: string): Promise<string> => {
  try {
    const response = await fetch(path, { method: 'POST', headers: { 'x-tanist-inspector': 'order' } });
    const text = await response.text();
    const { outcome, detail, reason, killed, error } = JSON.parse(text) as Record<string, unknown>;
    if (typeof killed === 'number') return `killed ${killed}`;
    if (typeof error === 'object' && error !== null) return String((error as { message: unknown }).message);
    return [outcome, reason, detail].filter((part) => typeof part === 'string').join(': ');
  } catch (cause) {
    return `not known what became of it: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
};
