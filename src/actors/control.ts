import type { ControlInput, ControlOrder } from '../../machines/contracts.js';
import type { ControlFact, Request } from '../../machines/events.js';
import type { ReloadVerdict, ScaleVerdict, Status } from '../../machines/status.js';
import type { ControlRequest, Env, OpenAnswer } from '../os/env.js';
import { effect, failureOf, type Unstamped } from './effect.js';

type Report = (fact: Unstamped<ControlFact | Request>) => void;

/** What the control socket answers with. */
export interface ControlOptions {
  /** What the supervisor is now. */
  readonly status: () => Status;
  /** Answers with what there is to measure, as text of that type. */
  readonly metrics: (answer: (contentType: string, text: string) => void) => void;
  /** Tells what happens, from the event after `since` on; null when too many listen already. */
  readonly listen: (since: number | null, begin: () => OpenAnswer) => (() => void) | null;
}

interface Waiting {
  readonly asked: 'reload' | 'scale';
  readonly id: string;
  readonly request: ControlRequest;
}

/** How many may wait for a verdict at once; more are told to come back. */
const MAX_WAITING = 256;
const ID_CHARS = 128;
/** A reason is to be read: of a thousand slots it names some. */
const MOST_NAMED = 8;

const fail = (request: ControlRequest, status: number, message: string, hint: string): void =>
  request.respond(status, { error: { code: 'TANIST_CONTROL_PROTOCOL', message, hint } });

/** Why nobody can serve; null where somebody can. */
const unreadiness = ({ workers }: Status): string | null => {
  if (workers.some(({ state }) => state === 'ready')) return null;
  const states = workers.map(({ slot, state }) => `slot ${slot} is ${state}`);
  return `no worker is ready${states.length === 0 ? '' : `: ${states.slice(0, MOST_NAMED).join(', ')}`}`;
};

const answerHealth = (request: ControlRequest, status: Status): void => {
  const stopping = status.state === 'stopping';
  if (request.path === '/healthz') {
    request.respond(stopping ? 503 : 200, { ok: !stopping, reason: stopping ? 'stopping' : null });
    return;
  }
  const reason = stopping ? 'stopping' : unreadiness(status);
  request.respond(reason === null ? 200 : 503, { ok: reason === null, reason });
};

/** Server-sent events of the journal. */
const answerEvents = (request: ControlRequest, listen: ControlOptions['listen']): void => {
  const { since } = request.query;
  if (since !== undefined && !/^\d{1,15}$/.test(since))
    return fail(request, 400, `since=${since}: expected a number`, 'Ask for /events?since=17.');
  let [end, isGone]: [(() => void) | null, boolean] = [null, false];
  const begin = () =>
    request.stream('text/event-stream', () => {
      isGone = true;
      end?.();
    });
  end = listen(since === undefined ? null : Number(since), begin);
  if (end === null) return fail(request, 429, 'too many listen already', 'Try again later.');
  if (isGone) end();
};

/** Takes those out of the list that the test picks. */
const taken = (waiting: Waiting[], picks: (one: Waiting) => boolean): readonly Waiting[] => {
  const found = waiting.filter(picks);
  waiting.splice(0, waiting.length, ...waiting.filter((one) => !found.includes(one)));
  return found;
};

const SCALE_STATUS: Readonly<Record<ScaleVerdict['outcome'], number>> = {
  scaled: 200,
  refused: 409,
  incomplete: 504,
};

const METHODS: Readonly<Record<string, string>> = {
  '/status': 'GET',
  '/reload': 'POST',
  '/scale': 'POST',
  '/stop': 'POST',
  '/events': 'GET',
  '/healthz': 'GET',
  '/readyz': 'GET',
  '/metrics': 'GET',
};

/** The control socket: states requests, answers what it is told to. */
export const createControl = (env: Env, options: ControlOptions) =>
  effect<ControlInput, ControlOrder, ControlFact | Request>(env, ({ input, report, onOrder, ended }) => {
    const waiting: Waiting[] = [];
    const server = env.serveControl((request) => route(request, options, waiting, report));
    const claim = (first: boolean) =>
      server.claim(input.path, first).then(
        () => {
          if (ended()) server.close();
          report({ type: 'control.claimed', path: input.path });
        },
        (error: unknown) =>
          report({
            type: 'control.failed',
            ...failureOf(error, 'TANIST_CONTROL_FAILED'),
            ...explain(input.path, error),
          }),
      );
    onOrder((order) => {
      if (order.type === 'control.claim') claim(order.first);
      else if (order.type === 'control.remove') server.remove();
      else if (order.type === 'control.answer') {
        for (const { id, request } of taken(waiting, ({ asked }) => asked === 'reload'))
          answer(request, id, order.verdict);
      } else {
        for (const { request } of taken(
          waiting,
          ({ asked, id }) => asked === 'scale' && order.ids.includes(id),
        ))
          request.respond(SCALE_STATUS[order.verdict.outcome], order.verdict);
      }
    });
    return () => server.close();
  });

const explain = (path: string, error: unknown): { code: string; message: string } => ({
  code: 'TANIST_CONTROL_FAILED',
  message: `the control socket ${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
});

const answer = (request: ControlRequest, id: string, verdict: ReloadVerdict): void => {
  const joined = verdict.ids.length > 0 && verdict.ids[0] !== id;
  request.respond(verdict.outcome === 'promoted' ? 200 : 409, { ...verdict, joined });
};

/** Remembers who waits for a verdict, and returns the request's id; null when too many wait already. */
const wait = (request: ControlRequest, asked: Waiting['asked'], waiting: Waiting[]): string | null => {
  if (waiting.length >= MAX_WAITING) {
    fail(request, 429, 'too many requests wait for a verdict', 'Try again later.');
    return null;
  }
  const id = (request.query.id ?? crypto.randomUUID()).slice(0, ID_CHARS);
  waiting.push({ asked, id, request });
  return id;
};

const route = (
  request: ControlRequest,
  { status, listen, metrics }: ControlOptions,
  waiting: Waiting[],
  report: Report,
): void => {
  const method = METHODS[request.path];
  if (method === undefined)
    return fail(request, 404, `there is no ${request.path}`, 'See the README for what there is.');
  if (method !== request.method)
    return fail(request, 405, `${request.path} takes ${method}, not ${request.method}`, `Use ${method}.`);
  switch (request.path) {
    case '/status':
      return request.respond(200, status());
    case '/events':
      return answerEvents(request, listen);
    case '/metrics':
      return metrics(request.respondText);
    case '/healthz':
    case '/readyz':
      return answerHealth(request, status());
    case '/stop':
      request.hold(202, { outcome: 'stopping' });
      return report({ type: 'stop.requested', via: 'control' });
    case '/reload': {
      const id = wait(request, 'reload', waiting);
      if (id !== null) report({ type: 'reload.requested', via: 'control', id });
      return;
    }
    case '/scale': {
      const { workers = '' } = request.query;
      // How many there may be is for the machine to say.
      if (!/^\d{1,9}$/.test(workers))
        return fail(request, 400, `workers=${workers}: expected a number`, 'Ask for /scale?workers=4.');
      const id = wait(request, 'scale', waiting);
      if (id !== null)
        report({ type: 'scale.requested', via: 'control', workers: Number(workers), change: 0, id });
      return;
    }
  }
};
