/**
 * Which facts are worth a line in the log, at what level, and in what words.
 */
import type { Place, SupervisorEvent } from '../machines/events.js';
import { excessText } from '../machines/memory.js';
import { isAbout } from '../machines/slots.js';
import { everyWorker, reliefOf } from '../machines/supervisor/relief.js';
import { missingText, scaleProblem, targetOf, wantedCount } from '../machines/supervisor/scale.js';
import type { SupervisorContext } from '../machines/supervisor.js';

export type LineLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Line {
  readonly level: LineLevel;
  readonly msg: string;
}

type Words<Event> = (event: Event, context: SupervisorContext) => Line;
type Table = { readonly [Type in SupervisorEvent['type']]?: Words<Extract<SupervisorEvent, { type: Type }>> };

const line = (level: LineLevel, msg: string): Line => ({ level, msg });
const exitText = (event: { code: number | null; signal: string | null }): string =>
  event.signal === null ? `exited with status ${event.code}` : `was ended by ${event.signal}`;
const seconds = (ms: number): string => `${Math.round(ms) / 1000} s`;

const deathsText = (young: number): string => (young === 0 ? '' : ` (${young} young deaths in a row)`);

/** How a request went on its way, if not straight to this process, or goes on. */
const wayOf = (event: object, { charge }: SupervisorContext): string => {
  if ('anchorStops' in event) return ' at the anchor';
  return charge === null ? '' : `, passed on to generation ${charge.generation}, pid ${charge.pid}`;
};

interface From {
  readonly slot: number;
  readonly place: Place;
}

const STAGES = { coming: 'the replacement of ', withdrawn: 'the replacement of ', outgoing: 'the replaced ' };

/** Who says it: two workers may have the same slot for a while. */
const whoOf = (from: From, context: SupervisorContext): string => {
  if (from.slot === 0) return 'a standby';
  const relief = reliefOf(context, from);
  return `${relief === undefined ? '' : STAGES[relief.stage]}worker ${from.slot}`;
};

const wasAskedToLeave = (context: SupervisorContext, from: From): boolean =>
  everyWorker(context).some(
    (record) => isAbout(record, from) && (record.state === 'draining' || record.state === 'killing'),
  );

const facilities: Table = {
  'lock.acquired': (_, { settings }) => line('debug', `holds the lock of ${settings.pidFile}`),
  'fence.waiting': ({ holders }, { settings }) =>
    line(
      'warn',
      `waits at most ${seconds(settings.drainTimeoutMs)} for workers of an earlier supervisor${holders.length > 0 ? `: pid ${holders.join(', ')}` : ''}`,
    ),
  'listeners.bound': ({ listeners }) =>
    line(
      'info',
      listeners.length === 0
        ? 'no listeners'
        : `listens on ${listeners.map(({ address }) => address).join(', ')}`,
    ),
  'listeners.removed': ({ left }) =>
    left.length === 0
      ? line('debug', 'no path of a listener is left')
      : line('warn', `could not remove ${left.map(({ path, reason }) => `${path} (${reason})`).join(', ')}`),
  'identity.assumed': ({ user, uid, gid, groups }) =>
    line('info', `runs as ${user ?? 'user'} (uid ${uid}, gid ${gid}, groups ${groups.join(' ')})`),
  'control.claimed': ({ path }) => line('debug', `control socket ${path}`),
  'control.failed': ({ message }) => line('error', message),
  'pid.written': ({ pid }, { settings }) => line('debug', `wrote pid ${pid} to ${settings.pidFile}`),
  'pid.failed': ({ message }) => line('error', `the pid file could not be written: ${message}`),
};

const workers: Table = {
  'worker.spawned': (event, context) => line('info', `${whoOf(event, context)} started, pid ${event.pid}`),
  'worker.ready': (event, context) =>
    line('info', `${whoOf(event, context)} is ready after ${Math.round(event.bootMs)} ms`),
  'worker.exited': (event, context) =>
    line(wasAskedToLeave(context, event) ? 'info' : 'warn', `${whoOf(event, context)} ${exitText(event)}`),
  'worker.failed': (event, context) => {
    const stage = reliefOf(context, event)?.stage;
    if (stage === undefined) return line('error', event.detail);
    if (stage !== 'coming') return line('debug', event.detail);
    const wait = seconds(context.settings.respawnDelayMs);
    return line(
      'error',
      `the replacement of worker ${event.slot} failed (${event.reason}): ${event.detail}; the worker serves on, it is tried again in ${wait}`,
    );
  },
  'worker.checked': ({ slot, passed, failures, detail }) =>
    passed
      ? line('debug', `worker ${slot} is well`)
      : line('warn', `worker ${slot} failed a health check, ${failures} in a row: ${detail}`),
  'worker.draining': (event, context) =>
    line(
      'info',
      `${whoOf(event, context)} is asked to leave within ${seconds(event.limitMs)}: ${event.cause}`,
    ),
  'worker.killing': (event, context) =>
    line(
      'warn',
      `${whoOf(event, context)} and its process group are killed: ${event.cause}${event.evidence === undefined ? '' : `; what explains it is in ${event.evidence}`}`,
    ),
  'memory.exceeded': ({ slot, memoryBytes, limitBytes }, { inCharge }) =>
    line(
      'warn',
      `worker ${slot} uses ${excessText(memoryBytes, limitBytes)}${inCharge ? ': it is to be replaced' : ''}`,
    ),
  'memory.unreadable': ({ detail }, { memoryObstacle, settings }) =>
    line(
      memoryObstacle === null ? 'warn' : 'debug',
      `the memory of workers cannot be read, so that their limit of ${settings.maxMemoryBytes} bytes does nothing now: ${detail}`,
    ),
  'worker.delayed': ({ slot, place, delayMs, youngDeaths }, { spares }) => {
    // A standby has the slot by now.
    const isSpare = spares.some((spare) => isAbout(spare, { place }));
    const what = isSpare ? 'another standby is booted' : `slot ${slot} is filled again`;
    return delayMs === 0
      ? line('debug', `${what} at once`)
      : line('info', `${what} in ${seconds(delayMs)}${deathsText(youngDeaths)}`);
  },
  'worker.promoted': ({ slot, pid }) => line('info', `a standby, pid ${pid}, fills slot ${slot}`),
  'worker.silent': ({ slot, place, waitedMs, remainingMs, says }, context) =>
    line(
      'warn',
      `${whoOf({ slot, place }, context)} has not said takeover for ${seconds(waitedMs)}; it has ${seconds(remainingMs)} left.${says === '' ? '' : ` It says: ${says}.`} A program that does not know the protocol needs --ready alive=1s; one that does can also be asked by --ready http=/path`,
    ),
  'scale.requested': (event, context) => {
    // An anchor has no slots: it passes the signal on.
    if (context.slots.length === 0)
      return line('info', `another number of workers asked for by ${event.via}`);
    const problem = scaleProblem(context, event);
    return problem === null
      ? line(
          'info',
          `${targetOf(context, event)} workers asked for by ${event.via}, there are ${wantedCount(context)}`,
        )
      : line('warn', `another number of workers, asked for by ${event.via}, is refused: ${problem.detail}`);
  },
  'alarm.fired': ({ alarm }, context) =>
    alarm === 'scale'
      ? line('warn', `the number of workers is not reached yet: ${missingText(context)}`)
      : line('debug', `the ${alarm} alarm fired`),
  'worker.described': (event, context) => line('debug', `${whoOf(event, context)}: ${event.status}`),
  'spawn.failed': (event, context) =>
    line('error', `${whoOf(event, context)} could not be started: ${event.message}`),
};

const reload: Table = {
  'reload.requested': (event, context) => {
    const asked = `reload asked for by ${event.via}${wayOf(event, context)}`;
    if (context.reload !== null) return line('info', `${asked} joins the one under way`);
    return context.settings.hotReload
      ? line('info', asked)
      : line('warn', `${asked} is refused: this daemon allows none`);
  },
  'reload.joined': () => line('info', 'another request for a reload joined this one'),
  'reload.started': ({ generation, pid }) => line('info', `generation ${generation} starts, pid ${pid}`),
  'handoff.begun': () => line('info', 'the successor is ready: the hand-over begins'),
  'reload.promoted': ({ generation }) =>
    line('info', `generation ${generation} is in charge; this one leaves`),
  'reload.activated': ({ probationMs }, { reload: current }) =>
    probationMs === 0
      ? line('debug', `the workers of generation ${current?.generation} may serve`)
      : line('info', `generation ${current?.generation} serves, on probation for ${seconds(probationMs)}`),
  'reload.refused': ({ outcome, generation, reason, detail }, { retiring, stops }) => {
    const stays = retiring ? 'starts its workers again' : 'goes on';
    return line(
      reason === 'stopped' ? 'info' : 'error',
      `generation ${generation} is ${outcome === 'refused' ? 'refused' : 'rolled back'} (${reason}): ${detail}; this generation ${stops > 0 ? 'stops' : stays}`,
    );
  },
  // Where both are to stop, it is only the first to end.
  'successor.lost': (_, { stops }) =>
    stops > 0
      ? line('info', 'the successor has ended')
      : line('error', 'the successor died after it had taken charge'),
  'successor.gone': () => line('info', 'nothing of the successor is left'),
  'takeover.asked': () => line('info', 'every worker is ready: asked the predecessor for takeover'),
  'takeover.activated': (_, { settings, predecessorDead }) =>
    line(
      'info',
      settings.probationMs === 0 || predecessorDead
        ? 'the workers may serve'
        : `the workers may serve, on probation for ${seconds(settings.probationMs)}`,
    ),
  'takeover.charged': () => line('debug', 'this generation has decided the reload'),
  'takeover.committed': (_, { generation }) => line('info', `generation ${generation} is in charge`),
  'takeover.failed': ({ outcome, reason, detail }) =>
    line(
      'error',
      `this generation has failed (${reason}): ${detail}; it is to be ${outcome === 'refused' ? 'refused' : 'rolled back'}`,
    ),
  'predecessor.silent': ({ alarm }) => line('warn', `the predecessor is silent: the ${alarm} alarm fired`),
  'predecessor.dead': () => line('warn', 'the predecessor is dead: this generation goes on alone'),
  'predecessor.killed': ({ pid }) =>
    line('warn', `the predecessor (pid ${pid}) did not act in time and is killed`),
  'predecessor.gone': () => line('info', 'the predecessor is gone'),
  'stop.requested': (event, context) =>
    line('info', `stop asked for by ${event.via}${wayOf(event, context)}`),
  // What it becomes is raised inside the machine, where nobody sees it.
  'hangup.received': (event, context) => {
    const { hangupStops, settings } = context;
    const asked = `asked for by SIGHUP${wayOf(event, context)}`;
    return hangupStops || settings.hotReload
      ? line('info', `${hangupStops ? 'stop' : 'reload'} ${asked}`)
      : line('warn', `reload ${asked} is refused: this daemon allows none`);
  },
  'leftovers.counted': ({ remaining }) =>
    remaining === 0
      ? line('debug', 'no workers of the other generation are left')
      : line('warn', `${remaining} workers of the other generation did not leave in time and are killed`),
};

const anchor: Table = {
  'service.failed': ({ message }) =>
    line('error', `the socket pair of the anchor could not be made: ${message}`),
  'service.charged': ({ generation, pid }) =>
    line('info', `generation ${generation}, pid ${pid}, is in charge; this process is its anchor`),
  'service.concluded': ({ failure }) =>
    failure === null
      ? line('info', 'the service has ended')
      : line('error', `the service has ended: ${failure.message}`),
  'service.ended': (_, { conclusion }) =>
    conclusion === null
      ? line('error', 'the service ended without a word')
      : line('debug', 'no generation is left'),
  'anchor.introduced': ({ pid }) => line('info', `the first process, pid ${pid}, stays as the anchor`),
  'anchor.ended': (_, context) => {
    if (context.anchor === null)
      return line('info', 'the first process is gone before it was an anchor: none stays');
    return context.stops > 0
      ? line('info', 'the anchor is gone')
      : line('error', `the anchor, pid ${context.anchor.pid}, is gone: the service stops`);
  },
  'signal.sent': ({ pid, signal }) => line('warn', `${signal} was sent to pid ${pid}`),
  'signal.withheld': ({ pid, signal, detail }) =>
    line('warn', `${signal} was not sent to pid ${pid}: ${detail}`),
  'orphan.reaped': ({ pid }) => line('debug', `reaped pid ${pid}, which nobody else waits for`),
  'reaping.failed': ({ message }) => line('warn', message),
};

const ROOT: Table = { ...facilities, ...workers, ...reload, ...anchor };

/** The line for a fact that reached the supervisor; null for one that is not worth one. */
export const supervisorLine = (event: SupervisorEvent, context: SupervisorContext): Line | null => {
  const words = ROOT[event.type] as Words<SupervisorEvent> | undefined;
  return words === undefined ? null : words(event, context);
};

/** The line for a fact that only a slot hears; null for one that is not worth one. */
export const slotLine = (event: { type: string; [key: string]: unknown }): Line | null => {
  switch (event.type) {
    case 'line.rejected': {
      const more = event.dropped === 0 ? '' : ` (and ${event.dropped} more lines before it)`;
      return line(
        'warn',
        `the worker said what is no word of the protocol: ${JSON.stringify(event.excerpt)}${more}`,
      );
    }
    case 'channel.overflowed':
      return line('warn', `the channel is closed: ${event.detail}`);
    case 'shutdown.said':
      return line('info', 'the worker asked to be killed');
    case 'evidence.failed':
      return line('warn', `what explains the kill could not be written: ${event.message}`);
    case 'probe.failed':
      return line('debug', `the probe failed: ${event.detail}`);
    case 'signal.withheld':
      return line('debug', `${event.signal} was not sent: ${event.detail}`);
    default:
      return null;
  }
};
