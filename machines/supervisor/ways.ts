/**
 * Transitions that several states share.
 */

const stop = { guard: 'isStopping', target: '#supervisor.stopping' } as const;
const serve = [
  { guard: 'allReady', target: '#supervisor.running' },
  { guard: 'someReady', target: '#supervisor.respawning' },
  { target: '#supervisor.idle.starting' },
] as const;

/** Where the supervisor goes when nothing of a reload is left to do: as its slots are. */
export const settleWith = <const Actions extends readonly string[]>(actions: Actions) =>
  [stop, ...serve].map((transition) => ({ ...transition, actions }));

/** The same for a predecessor, which may have kept a request for the next reload: it is begun at once. */
export const returnWith = <const Actions extends readonly string[]>(actions: Actions) =>
  [stop, { guard: 'isReloadDeferred', target: '#supervisor.idle.starting' } as const, ...serve].map(
    (transition) => ({ ...transition, actions }),
  );

/** The successor is in charge now: it reads what the anchor says. */
export const relieved = ['recordPromoted', 'leaveAnchor', 'answer'] as const;

/** The reload is over, and this generation goes on, or has never stopped going on. */
export const comeBack = [
  'resumeAnchor',
  'recordRefused',
  'dropReload',
  'comeBack',
  'answer',
  'awaitLeftovers',
] as const;

/** A request for a reload where none is under way. */
export const reload = [
  {
    guard: 'isReloadable',
    target: '#supervisor.reloading',
    actions: ['beginReload', 'withdrawReliefs', 'startSuccessor'],
  },
  { actions: 'refuseReload' },
] as const;

/** The same, before the slots are filled, or while a command waits for the start: it is kept until then. */
export const earlyReload = [
  { guard: 'isReloadable', actions: 'deferReload' },
  { actions: 'refuseReload' },
] as const;

/** What can be asked of a supervisor that serves; a predecessor may still be finishing beside it. */
export const requests = {
  'reload.requested': [{ guard: 'isLinked', actions: 'joinReload' }, ...reload],
  'stop.requested': { target: '#supervisor.stopping', actions: 'countStop' },
} as const;
