/**
 * The supervisor: idle, running, respawning, reloading, takeover, handoff, anchored, stopping, stopped, failed.
 *
 * Its room, `supervisor/`, has what it knows (`context`), its vocabulary (`setup` and the actions by purpose) and
 * the states that have states of their own.
 */

import { anchored } from './supervisor/anchored.js';
import { initialContext } from './supervisor/context.js';
import { supervisorSetup } from './supervisor/end-actions.js';
import { handoff } from './supervisor/handoff.js';
import { idle } from './supervisor/idle.js';
import { stopping } from './supervisor/stopping.js';
import { comeBack, relieved, requests, settleWith } from './supervisor/ways.js';

export {
  fencePath,
  type ReloadRecord,
  type SupervisorContext,
  type SupervisorInput,
  type SupervisorOutput,
} from './supervisor/context.js';
export type { Relief } from './supervisor/relief.js';
export type { Scaling, SettledScale } from './supervisor/scale.js';

const machine = supervisorSetup.createMachine({
  id: 'supervisor',
  description: 'A supervisor of one generation, from its start to its end.',
  context: ({ input }) => initialContext(input),
  output: ({ context }) => ({ failure: context.failure }),
  invoke: [
    { id: 'signals', src: 'signals', input: {} },
    { id: 'reaper', src: 'reaper', input: {} },
  ],
  on: {
    'hangup.received': [{ guard: 'hangupStops', actions: 'raiseStop' }, { actions: 'raiseReload' }],
    'worker.spawned': { actions: ['recordWorker', 'announceWorkers'] },
    'worker.ready': {
      actions: ['recordWorker', 'recordReady', 'takeRelief', 'announceReady', 'settleScale', 'answerScale'],
    },
    'worker.exited': { actions: ['recordWorker', 'announceWorkers'] },
    'worker.delayed': { actions: ['recordWorker', 'countRespawn'] },
    'worker.checked': { actions: ['recordWorker', 'announceHealth'] },
    'worker.failed': { actions: ['announceFailure', 'giveUpRelief'] },
    'worker.draining': { actions: 'recordWorker' },
    'worker.killing': { actions: 'recordWorker' },
    'worker.stopped': {
      actions: ['recordWorker', 'removeReliefs', 'removeSlots', 'settleScale', 'answerScale'],
    },
    'worker.described': { actions: 'recordWorker' },
    'worker.promoted': { actions: [] },
    'memory.measured': { actions: 'recordWorker' },
    'memory.exceeded': { actions: 'announceExcess' },
    'memory.unreadable': { actions: 'recordObstacle' },
    'spawn.failed': { actions: 'recordWorker' },
    'takeover.activated': { actions: 'admitSlots' },
    'takeover.charged': [
      // There is no path to be taken: in charge at once.
      { guard: 'hasNoControl', actions: ['recordCharge', 'openAnchor', 'retainSlots', 'tellCharge'] },
      { actions: ['recordCharge', 'openAnchor', 'publish', 'retainSlots'] },
    ],
    'control.claimed': { actions: 'tellCharge' },
    'control.failed': { actions: ['tellCharge', 'publishLater'] },
    'pid.failed': { actions: 'publishLater' },
    'takeover.committed': settleWith(['recordCommitted', 'phaseLeaving', 'awaitLeftovers']),
    'predecessor.dead': { actions: 'recordPredecessorDead' },
    'predecessor.gone': { actions: ['recordPredecessorGone', 'answer', 'dropTakeover', 'awaitLeftovers'] },
    'reload.joined': { actions: 'joinReload' },
    'reload.activated': { actions: 'phaseProbation' },
    'anchor.introduced': [
      // The end of its socket was seen before its word.
      { guard: 'hasLostAnchor', actions: 'raiseAnchorStop' },
      { actions: 'recordAnchor' },
    ],
    'anchor.ended': [
      { guard: 'mustFollowAnchor', actions: ['dropAnchor', 'raiseAnchorStop'] },
      // The first process died before it was an anchor: the service goes on without one.
      { actions: 'dropAnchor' },
    ],
    'scale.requested': [
      {
        guard: 'mayScale',
        actions: [
          'replaceScale',
          'answerScale',
          'beginScale',
          'resizeSlots',
          'withdrawReliefs',
          'setScaleAlarm',
          'removeSlots',
          'settleScale',
          'answerScale',
        ],
      },
      { actions: ['refuseScale', 'answerScale'] },
    ],
    'alarm.fired': [
      { guard: { type: 'isAlarm', params: { alarm: 'leftovers' } }, actions: 'killLeftovers' },
      { guard: { type: 'isAlarm', params: { alarm: 'publish' } }, actions: 'publishAgain' },
      { guard: { type: 'isAlarm', params: { alarm: 'relief' } }, actions: 'endReliefRest' },
      { guard: { type: 'isAlarm', params: { alarm: 'scale' } }, actions: ['giveUpScale', 'answerScale'] },
    ],
  },
  initial: 'idle',
  states: {
    idle,
    running: {
      description: 'Every slot is ready.',
      always: [
        { guard: 'isOverLimit', target: 'stopping', actions: 'recordOverLimit' },
        { guard: 'mayPromote', actions: 'promote' },
        { guard: 'notAllReady', target: 'respawning' },
        { guard: 'lacksSpares', actions: 'startSpares' },
        { guard: 'mayRelieve', actions: 'startRelief' },
      ],
      on: requests,
    },
    respawning: {
      description: 'Some slot is not ready.',
      always: [
        { guard: 'isOverLimit', target: 'stopping', actions: 'recordOverLimit' },
        { guard: 'mayPromote', actions: 'promote' },
        { guard: 'allReady', target: 'running' },
        { guard: 'mayRelieve', actions: 'startRelief' },
      ],
      on: requests,
    },
    reloading: {
      description: 'A successor starts; this generation serves and fills its slots.',
      always: { guard: 'mayPromote', actions: 'promote' },
      on: {
        'reload.started': { actions: 'recordSuccessor' },
        'handoff.begun': { target: 'handoff' },
        // While this process hung, the successor decided without it.
        'reload.promoted': { target: 'handoff.leaving', actions: relieved },
        'reload.refused': settleWith(comeBack),
        'reload.requested': { actions: ['joinReload', 'passJoin'] },
        'stop.requested': { actions: ['countStop', 'abortReload'] },
      },
    },
    takeover: {
      description: 'The successor, ready, has asked; until it is in charge.',
      on: {
        'stop.requested': { actions: ['countStop', 'passStop'] },
        'reload.requested': { actions: 'joinReload' },
      },
    },
    handoff,
    anchored,
    stopping,
    stopped: { type: 'final', description: 'Done: nothing of this generation is left.' },
    failed: { type: 'final', description: 'It could not start, or gave up: the reason is in the output.' },
  },
});

/** The machine of one generation's supervisor: its context is `SupervisorContext`, its events are `SupervisorEvent`s. */
export type SupervisorMachine = typeof machine;

/**
 * Decides about everything in a supervisor's life, from the lock to the last worker.
 *
 * Pure: its effects are the placeholders of the contracts, which throw when they are started. `transition` of xstate
 * runs it without any; `machine.provide({ actors })` puts real ones in their place (`provideEffects` of
 * `tanist/actors` all of them) or one's own. An effect that throws while it starts stops the machine with an error.
 */
export const supervisorMachine: SupervisorMachine = machine;
