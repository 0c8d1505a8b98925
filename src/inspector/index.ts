/**
 * `tanist/inspector`: a page on which a daemon can be watched, from a process of its own or from any program.
 *
 * @module tanist/inspector
 */
import { TanistError } from '../errors.js';
import type { JournalEntry } from '../journal/entry.js';
import { readJournal } from '../os/journal-reader.js';
import { addressText } from './access.js';
import { Audience } from './audience.js';
import { Follower, type Link } from './follower.js';
import { Gauge } from './gauge.js';
import { HISTORY_LIMITS, History, type HistoryLimits } from './history.js';
import { obey } from './orders.js';
import { openServer, type PageServer } from './server.js';

export type { HistoryLimits } from './history.js';

/** What is shown, and to whom. */
export interface InspectorOptions {
  /** What to show: a daemon's control socket, which is followed, or the files of one journal, the oldest first. */
  readonly source:
    | {
        /** The absolute path of its control socket. */
        readonly controlPath: string;
      }
    | {
        /** Paths of its files. */
        readonly journals: readonly string[];
      };
  /** How the daemon or the recording is called on the page. */
  readonly name: string;
  /**
   * A literal IPv4 or IPv6 address. Default `127.0.0.1`.
   *
   * Any other than a loopback address lets whoever can reach it try tokens, and hides nothing on the way.
   */
  readonly host?: string;
  /** 0 to 65,535; 0, the default, is any free port. */
  readonly port?: number;
  /** Whether the page may reload and stop the daemon and kill workers. Default false. */
  readonly controls?: boolean;
  /** Whether whoever serves the page ends it with the daemon: the page does not promise to go on then. Default false. */
  readonly untilEnd?: boolean;
  /** Called whenever it changes how the inspector and the daemon stand. */
  readonly onLink?: (state: Link['state']) => void;
  /** How much is remembered: entries, default 12,000, and characters of their JSON, default 24 Mi. */
  readonly limits?: Partial<HistoryLimits>;
  /** A browser that reads nothing for so long is dropped. Milliseconds, 1 to 86,400,000; default 10,000. */
  readonly stallMs?: number;
  /** How many browsers may look on at once. 1 to 48, default 16. */
  readonly viewers?: number;
}

/** A page that is served. */
export interface Inspector {
  /** With the token: whoever has it sees the page. */
  readonly url: string;
  /** The port that is listened on. */
  readonly port: number;
  /** How many browsers look on. */
  viewers(): number;
  /** How many were dropped because they did not read. */
  dropped(): number;
  /** How many entries are remembered. */
  remembered(): number;
  /** Ends everything. The daemon is not touched. */
  close(): Promise<void>;
}

const STALL_MS = 10_000;
const MOST_VIEWERS = 16;

const readRecording = (journals: readonly string[], history: History): void => {
  for (const path of journals)
    for (const { entry } of readJournal(path)) if (entry !== null) history.push(entry);
  if (history.size === 0)
    throw new TanistError('TANIST_JOURNAL_UNREADABLE', `${journals.join(', ')} has no entry`);
};

const listenFailure = (address: string, cause: unknown): TanistError =>
  new TanistError(
    'TANIST_LISTEN_FAILED',
    `the inspector cannot listen on ${address}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause, hint: 'Name another address with --address; port 0 is any free one.' },
  );

/**
 * Serves the page until `close()`.
 *
 * Nothing is installed in the daemon: its control socket is asked, as any client may, and its journal is read if it
 * has one that this user may read. A daemon that does not run is waited for.
 *
 * @throws {TanistError} `TANIST_LISTEN_FAILED` if the address cannot be listened on; `TANIST_JOURNAL_UNREADABLE` if
 *   a file is no journal. Nothing goes on then.
 */
export const serveInspector = async (options: InspectorOptions): Promise<Inspector> => {
  const { source, name, host = '127.0.0.1', port = 0, controls = false } = options;
  const history = new History({ ...HISTORY_LIMITS, ...options.limits });
  const isRecording = 'journals' in source;
  if (isRecording) readRecording(source.journals, history);
  const audience = new Audience({
    history,
    most: options.viewers ?? MOST_VIEWERS,
    stallMs: options.stallMs ?? STALL_MS,
  });
  const mayOrder = controls && !isRecording;
  let server: PageServer;
  try {
    server = await openServer({
      host,
      port,
      audience,
      obey: mayOrder ? (order, pid) => obey(order, source.controlPath, history.entries(), pid) : null,
    });
  } catch (error) {
    audience.close();
    throw listenFailure(addressText(host, port), error);
  }
  const { untilEnd = false, onLink } = options;
  audience.tell('hello', {
    name,
    mode: isRecording ? 'recording' : 'live',
    controls: mayOrder,
    ...(untilEnd ? { untilEnd } : {}),
  });
  const follower = isRecording ? null : follow(source.controlPath, history, audience, onLink);
  return {
    url: `http://${addressText(host, server.port)}/?token=${server.token}`,
    port: server.port,
    viewers: () => audience.size,
    dropped: () => audience.dropped,
    remembered: () => history.size,
    close: async () => {
      follower?.close();
      audience.close();
      await new Promise((resolve) => setImmediate(resolve));
      await server.close();
    },
  };
};

const follow = (
  controlPath: string,
  history: History,
  audience: Audience,
  onLink: InspectorOptions['onLink'],
): Follower => {
  const gauge = new Gauge();
  return new Follower({
    controlPath,
    onEntries: (entries: readonly JournalEntry[]) => {
      for (const entry of entries) history.push(entry);
      audience.wake();
    },
    onStatus: (status) => {
      audience.tell('status', status);
      audience.tell('usage', gauge.read(status));
    },
    onLink: (link) => {
      audience.tell('link', link);
      onLink?.(link.state);
    },
  });
};
