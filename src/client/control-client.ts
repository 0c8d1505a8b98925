/**
 * The client's side of the control socket: one request, one answer, and a clear word for everything else.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import type { ReloadVerdict, ScaleVerdict, Status } from '../../machines/status.js';
import { TanistError } from '../errors.js';
import { errorAnswer, parseJson, scaleVerdictFrom, statusFrom, verdictFrom } from './control-answers.js';

/** What became of a request. */
export type Reply<T> =
  | { readonly kind: 'answer'; readonly value: T }
  /** Nobody listens at the path. */
  | { readonly kind: 'absent' }
  /** It was asked, and the connection ended before the answer. */
  | { readonly kind: 'lost' };

export interface JoinableVerdict extends ReloadVerdict {
  /** True if the reload was already under way when it was asked for. */
  readonly joined?: boolean;
}

/** No honest answer is longer: a thousand workers need less than one megabyte. */
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;
/** A local socket is connected at once, or its owner hangs with a full queue. */
const CONNECT_LIMIT_MS = 1_000;

/** @throws {TanistError} an error the supervisor answers, or one that says why it cannot be asked. */
export const askStatus = async (controlPath: string, signal: AbortSignal): Promise<Reply<Status>> => {
  const reply = await ask({ controlPath, method: 'GET', path: '/status', signal });
  return understood(reply, ({ status, body }) => statusFrom(success(status, body)));
};

/** Waits for the verdict. A refusal is an answer; `lost` means that the verdict must be asked for elsewhere. */
export const askReload = async (
  controlPath: string,
  id: string,
  signal: AbortSignal,
): Promise<Reply<JoinableVerdict>> => {
  const reply = await ask({
    controlPath,
    method: 'POST',
    path: `/reload?id=${encodeURIComponent(id)}`,
    signal,
  });
  return understood(reply, ({ status, body }) =>
    verdictFrom(status === 409 ? conflict(body) : success(status, body)),
  );
};

/** Asks for another number of workers, and waits for it. A refusal is an answer. */
export const askScale = async (
  controlPath: string,
  workers: number,
  signal: AbortSignal,
): Promise<Reply<ScaleVerdict>> => {
  const reply = await ask({ controlPath, method: 'POST', path: `/scale?workers=${workers}`, signal });
  // 409 and 504 carry a verdict as well.
  return understood(reply, ({ status, body }) =>
    scaleVerdictFrom(status === 409 || status === 504 ? conflict(body) : success(status, body)),
  );
};

/**
 * Asks for the stop, and waits until the supervisor ends the answer: then its last process is gone.
 *
 * @returns `clean` is false if the connection broke instead: the supervisor may have been killed.
 */
export const askStop = async (
  controlPath: string,
  signal: AbortSignal,
): Promise<Reply<{ readonly clean: boolean }>> => {
  const reply = await ask({ controlPath, method: 'POST', path: '/stop', signal });
  if (reply.kind !== 'answer') return reply;
  const { status, body, complete } = reply.value;
  if (status !== 202) success(status, body);
  return { kind: 'answer', value: { clean: complete } };
};

/** Whether somebody accepts connections there. */
export const isAnswered = (controlPath: string): Promise<boolean> =>
  new Promise((settle) => {
    const socket = connect(controlPath);
    const end = (answered: boolean) => {
      socket.destroy();
      settle(answered);
    };
    socket.setTimeout(CONNECT_LIMIT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', (error: NodeJS.ErrnoException) => end(!ABSENT.includes(error.code ?? '')));
  });

interface Question {
  readonly controlPath: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** False if the connection ended before the body did. */
  readonly complete: boolean;
}

/** Nobody listens: no such file, a socket without owner, no socket, a file in place of a directory. */
const ABSENT: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR'];
const BROKEN: readonly string[] = ['ECONNRESET', 'EPIPE'];

const ask = ({ controlPath, method, path, signal }: Question): Promise<Reply<Answer>> =>
  new Promise((settle, refuse) => {
    // Without an agent, which would take 7 ms to find out that there is no name for TLS.
    const createConnection = () => connect({ path: controlPath });
    const outgoing = request({ createConnection, method, path, signal });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? '';
      if (signal.aborted) refuse(signal.reason);
      else if (ABSENT.includes(code)) settle({ kind: 'absent' });
      else if (BROKEN.includes(code)) settle({ kind: 'lost' });
      else refuse(unasked(controlPath, error));
    });
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        chunks.push(chunk);
        if (sizeBytes > ANSWER_LIMIT_BYTES) outgoing.destroy(new Error('the answer does not end'));
      });
      // What ended the answer is told by `complete`; a listener keeps it from being thrown.
      incoming.on('error', (error: NodeJS.ErrnoException) => {
        if (signal.aborted) refuse(signal.reason);
        else if (!BROKEN.includes(error.code ?? '')) refuse(unasked(controlPath, error));
      });
      incoming.once('close', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        settle({
          kind: 'answer',
          value: { status: incoming.statusCode ?? 0, body, complete: incoming.complete },
        });
      });
    });
    outgoing.end();
  });

const unasked = (controlPath: string, cause: NodeJS.ErrnoException): TanistError => {
  const socket = `the control socket ${JSON.stringify(controlPath)}`;
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    return new TanistError(
      'TANIST_CONTROL_FAILED',
      `${socket} may not be used by this user (${cause.code})`,
      {
        cause,
        hint: 'Ask as the user who started the supervisor, or as root.',
      },
    );
  }
  if (cause.code === undefined || cause.code.startsWith('HPE_')) {
    return new TanistError('TANIST_CONTROL_PROTOCOL', `${socket} gave no proper answer: ${cause.message}`, {
      cause,
    });
  }
  return new TanistError('TANIST_CONTROL_FAILED', `${socket} cannot be asked: ${cause.message}`, { cause });
};

const understood = <T>(reply: Reply<Answer>, read: (answer: Answer) => T): Reply<T> => {
  if (reply.kind !== 'answer') return reply;
  return reply.value.complete ? { kind: 'answer', value: read(reply.value) } : { kind: 'lost' };
};

/** The JSON of a 2xx answer; any other is thrown as the error it is. */
const success = (status: number, body: string): unknown => {
  if (status >= 200 && status < 300) return parseJson(body);
  throw errorAnswer(status, body);
};

/** A verdict, or a refusal to begin: a supervisor that stops starts no generation. */
const conflict = (body: string): unknown => {
  const json = parseJson(body);
  if (typeof json !== 'object' || json === null || !('error' in json)) return json;
  const error = errorAnswer(409, body);
  throw error.code === 'TANIST_STOPPING'
    ? new TanistError('TANIST_RELOAD_REFUSED', `refused (stopped): ${error.message}`, {
        hint: error.hint,
        cause: error,
      })
    : error;
};
