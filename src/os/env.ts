/**
 * The only door to the operating system. Actors act through it and nowhere else; tests simulate it.
 *
 * Descriptors are plain numbers. A stream is the descriptor of a connected socket.
 */
import type { BoundListener, Failure, Identity } from '../../machines/events.js';
import type { Account, ListenSpec } from '../../machines/policy.js';
import type { Use } from '../program.js';

/** Ends a subscription, a timer or a watch. Harmless when it is called again. */
export type Dispose = () => void;

/** What a new process gets at one descriptor number: the index in the list. */
export type DescriptorSource =
  /** /dev/null */
  | 'null'
  /** One end of a new socket pair; we keep the other. */
  | 'stream'
  /** A duplicate of our descriptor. */
  | number;

/** A process that is to be started, as the leader of a session of its own. */
export interface SpawnRequest {
  /** What the process is to be: in an emergency each is treated in its own way. */
  readonly role: 'worker' | 'successor';
  /** An absolute path. */
  readonly file: string;
  /** Its arguments, without its own name. */
  readonly args: readonly string[];
  /** An absolute path. */
  readonly cwd: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What it gets at 0, 1, 2, …. */
  readonly descriptors: readonly DescriptorSource[];
  /** It lives. Called before the process can have said anything. */
  readonly onSpawn: (child: SpawnedChild) => void;
  /** Nothing was started. Exclusive with `onSpawn`. */
  readonly onFailure: (failure: Failure) => void;
  /** After `onSpawn`, once: the process itself has exited and was reaped; its process group was killed. */
  readonly onExit: (exit: { readonly code: number | null; readonly signal: string | null }) => void;
}

/** A process that was started. */
export interface SpawnedChild extends Identity {
  /** Our end of each `'stream'`, in the order of the request. */
  readonly streams: readonly number[];
}

/** Who is told what a stream brings. */
export interface StreamHandlers {
  /** Bytes, as they come. */
  readonly onData: (chunk: Uint8Array) => void;
  /** End of file, or an error that means the same; once. */
  readonly onEnd: () => void;
  /** It is listened to as long as this process lives, and is no reason to live on. */
  readonly background?: true;
  /**
   * End of file is no end: the descriptor is kept until it is closed, or broken. For an end that another fact tells as
   * well, and better: a worker's end of the channel goes just before the kernel says that the worker is gone.
   */
  readonly lingers?: true;
}

/** An open stream. */
export interface Stream {
  /** Queues bytes; returns how many wait to be read by the other side. Ignored after the end. */
  write(text: string): number;
  /** Closes it. `onEnd` is not called any more. */
  close(): void;
}

/** The pid file, locked. */
export interface PidFile {
  /** Of the open file; the lock lives as long as any process holds it. */
  readonly descriptor: number;
  /** Writes our pid in place: readers see the old or the new line, never an empty file. */
  writePid(pid: number): void;
  /** Removes the file if the path still names it and it holds `pid` or nothing. */
  remove(pid: number): void;
}

/** The memory of one process. */
export interface MemoryGauge {
  /** Resident bytes; null once the process has ended. Throws when the system does not say. */
  read(): number | null;
  /** Ends it. */
  close(): void;
}

/** What came of trying to take the lock. */
export type LockAttempt =
  | {
      /** Whether the lock is ours now. */
      readonly outcome: 'acquired';
      /** The file that is locked. */
      readonly file: PidFile;
    }
  | {
      /** Whether the lock is ours now. */
      readonly outcome: 'held';
      /** What the file says; null where that is no pid. */
      readonly holderPid: number | null;
    };

/** One request on the control socket. */
export interface ControlRequest {
  /** `GET` or `POST`. */
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** The last value of each name. */
  readonly query: Readonly<Record<string, string>>;
  /** Answers once; a second answer and one to a client that has gone are ignored. */
  respond(status: number, body: unknown): void;
  /** Answers once with text of another kind than JSON. */
  respondText(contentType: string, text: string): void;
  /** Sends the head of an answer now, and leaves the body open until this process ends. */
  hold(status: number, body: unknown): void;
  /**
   * Begins an answer that goes on until this process or the client ends it.
   *
   * @param onClose called once when the connection is gone, whoever ended it.
   */
  stream(contentType: string, onClose: () => void): OpenAnswer;
}

/** The body of an answer that goes on. Ignored after its end. */
export interface OpenAnswer {
  /** Returns how many bytes wait for a client that does not read. */
  write(text: string): number;
  /** Cuts the connection. */
  abort(): void;
}

/** The server of the control socket. */
export interface ControlServer {
  /**
   * Makes the path ours: listens under another name beside it and puts that in its place. Rejects when that fails.
   *
   * @param first only if nobody is there but a socket that refuses connections; else whatever is there is replaced:
   *   the socket of another generation.
   */
  claim(path: string, first: boolean): Promise<void>;
  /** Unlinks the path if it is still ours. */
  remove(): void;
  /** Ends the server; answers that were begun are finished. */
  close(): void;
  /** Ends every connection, answered or not: whoever waits asks somebody else. */
  abandon(): void;
}

/** A process that is to be killed, and where to write what explains it. */
export interface EvidenceRequest {
  /** The process, a child that has not been reaped. */
  readonly pid: number;
  /** Its slot; 0 for a standby. */
  readonly slot: number;
  /** Its generation. */
  readonly generation: number;
  /** Why it is to be killed. */
  readonly cause: string;
  /** Where the folders of all such processes are; made if there is none. */
  readonly directory: string;
  /** Our end of the stream to the reporter inside it; null where there is none. */
  readonly reporter: number | null;
  /** The folder is there. */
  readonly onBegun: (folder: string) => void;
  /** Exclusive with `onFailure`. */
  readonly onDone: () => void;
  /** Something could not be written. */
  readonly onFailure: (message: string) => void;
}

/**
 * The operating system, as the effects see it. `createNodeEnv` makes the real one; whoever simulates it has
 * to answer each call as that does.
 */
export interface Env {
  /** Of this process. */
  readonly pid: number;

  // ── time ──
  /** Milliseconds since 1970, on a clock that never jumps. */
  now(): number;
  /** Fires once. Delays above 2^31 - 1 ms are cut to that. */
  setTimer(callback: () => void, delayMs: number): Dispose;
  /** Calls back once every event that waited at the time of the call was delivered. */
  afterPoll(callback: () => void): Dispose;

  // ── processes and signals ──
  /** Handles a signal from now on, by its name. Until the disposal it does not do what it does by default. */
  onSignal(signal: string, callback: () => void): Dispose;
  /** Starts a process. Never throws: what fails is told to `onFailure`. */
  spawn(request: SpawnRequest): void;
  /** A signal to a child that has not been reaped, or to its group. Returns why none was sent, or null. */
  signalChild(pid: number, signal: string, group: boolean): string | null;
  /** A signal to any process whose start time still matches. Returns why none was sent, or null. */
  signalProcess(identity: Identity, signal: string, group: boolean): string | null;
  /** True while a process with that pid and start time exists and is no zombie. */
  isAlive(identity: Identity): boolean;

  /** Ended children that nobody here has started: the kernel gave them to this process. */
  orphans(): readonly number[];
  /** Takes the exit status of an orphan. Returns why that is not possible, or null. */
  reapOrphan(pid: number): string | null;
  /** Why orphans could not be reaped, if there were any; null where they can. */
  reapingObstacle(): string | null;

  /** Collects evidence of a child that has not been reaped. Never throws; nothing is called back after the disposal. */
  collectEvidence(request: EvidenceRequest): Dispose;
  /** Reads the memory of a child that has not been reaped. Throws where the system does not tell. */
  openMemory(pid: number): MemoryGauge;

  // ── whom the process runs as ──
  /**
   * Becomes another user for good and returns its groups. Throws a TanistError when anything of that did not happen;
   * the process is anything in between then.
   */
  assume(account: Account): readonly number[];
  /** Makes a socket's path another user's, while it names that file (`device:inode`). Throws when it cannot. */
  give(path: string, file: string, account: Account): void;
  /** Why this process may not use a path so; null where it may. */
  obstacle(path: string, use: Use): string | null;

  // ── files and locks ──
  /** Opens or adopts the pid file and tries to lock it. Throws a TanistError when that cannot be tried. */
  lockPidFile(path: string, inherited: number | null): LockAttempt;
  /** Opens the lock that workers share. Throws as above. */
  openFence(path: string): number;
  /** Tries to take or change a lock without waiting; false while others hold it. Throws when that cannot be tried. */
  tryLock(descriptor: number, mode: 'exclusive' | 'shared'): boolean;
  /** Processes that have the file open, where the system tells. */
  holdersOf(path: string): readonly number[];

  // ── sockets ──
  /**
   * Opens what one option asks for: one listener, or those that were inherited. Rejects with a TanistError, also
   * when a name or a descriptor is among those that are `taken`; nothing stays open then.
   */
  listen(spec: ListenSpec, taken: readonly BoundListener[]): Promise<readonly BoundListener[]>;
  /** Opens a listening Unix socket at the path, for one probe. */
  listenUnix(path: string): Promise<number>;
  /**
   * Removes a name; with `file`, only while it names that file (`device:inode`). Returns why it is still there, or
   * null.
   */
  unlink(path: string, file?: string): string | null;
  /** Whether the path names something that this process can see. */
  exists(path: string): boolean;
  /** Two connected stream sockets: every write to one is read at the other. */
  socketPair(): Promise<readonly [number, number]>;
  /** A stream that holds one byte and is closed: of all who take it, one gets it. */
  makeToken(): Promise<number>;
  /** True for the one who gets the byte. */
  takeToken(descriptor: number): boolean;
  /** A second descriptor of the same socket. Throws when no more can be had. */
  duplicate(descriptor: number): number;
  /** Reads a stream until its end, and takes words for it. The descriptor belongs to the stream from then on. */
  openStream(descriptor: number, handlers: StreamHandlers): Stream;
  /** Closes a descriptor. One that is closed already is ignored. */
  close(descriptor: number): void;
  /** Opens the server of the control socket; it is at no path before `claim`. */
  serveControl(handler: (request: ControlRequest) => void): ControlServer;
  /** One GET on a Unix socket. Resolves to the status, or to words for why there is none. */
  get(socketPath: string, path: string, timeoutMs: number): Promise<number | string>;
}
