/**
 * The predecessor grants the takeover, finishes and goes.
 */
import { supervisorSetup } from './end-actions.js';
import { comeBack, relieved, returnWith } from './ways.js';

export const handoff = supervisorSetup.createStateConfig({
  description: 'The predecessor grants the takeover, finishes and goes.',
  entry: 'phaseGranting',
  initial: 'deciding',
  on: {
    'reload.refused': returnWith(comeBack),
    'reload.promoted': { target: '.leaving', actions: relieved },
    'reload.requested': { actions: ['joinReload', 'passJoin'] },
    'stop.requested': { actions: ['countStop', 'abortReload'] },
  },
  states: {
    deciding: {
      description: 'Exclusive mode drains first.',
      always: [{ guard: 'isExclusive', target: 'draining' }, { target: 'granting' }],
    },
    draining: {
      description: 'Exclusive: our workers leave before the successor serves.',
      entry: ['retire', 'endScale', 'answerScale', 'drainSlots'],
      always: { guard: 'allStopped', target: 'granting', actions: 'announceDrained' },
    },
    granting: {
      description: 'The successor takes charge, or fails. Bounded by the commit alarm.',
      always: { guard: 'mayPromote', actions: 'promote' },
    },
    leaving: {
      description: 'The successor is in charge: our workers finish.',
      entry: ['phaseLeaving', 'retire', 'endScale', 'answerScale', 'drainSlots'],
      always: [
        { guard: 'mayExit', target: 'ending' },
        { guard: 'allStopped', target: 'parting', actions: 'announceDrained' },
      ],
      on: {
        'successor.lost': { target: 'returning' },
        'reload.requested': { actions: ['joinLastReload', 'answer'] },
        'stop.requested': { actions: ['countStop', 'drainSlots', 'abortReload'] },
      },
    },
    returning: {
      description:
        'The successor died in charge: this generation comes back, or ends if a stop was asked for. Bounded by the alarms of the reload.',
      on: {
        'successor.gone': [
          {
            guard: 'wasSuccessorKilled',
            target: 'reclaiming',
            actions: ['answerEnded', 'forgetSuccessor', 'resumeAnchor', 'takeBack'],
          },
          { target: 'leaving', actions: ['answerEnded', 'forgetSuccessor'] },
        ],
      },
    },
    reclaiming: {
      description:
        'Both were to stop, and the successor was killed in charge: pid file and paths are taken back, to be removed.',
      entry: 'republish',
      invoke: {
        id: 'reclaimAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'release', delayMs: context.settings.takeoverTimeoutMs }),
      },
      on: {
        'control.claimed': { target: '#supervisor.stopping' },
        'control.failed': { target: '#supervisor.stopping' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'release' } },
          target: '#supervisor.stopping',
        },
        'reload.requested': { actions: 'answerStopped' },
        'stop.requested': { actions: ['countStop', 'drainSlots'] },
      },
    },
    parting: {
      description: 'Both generations stop: this one waits for the end of the other.',
      invoke: {
        id: 'partAlarm',
        src: 'alarm',
        input: ({ context }) => ({
          alarm: 'leave',
          delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
        }),
      },
      on: {
        'successor.lost': { target: 'returning' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'leave' } },
          target: 'ending',
        },
        'reload.requested': { actions: 'answerStopped' },
        'stop.requested': { actions: ['countStop', 'abortReload'] },
      },
    },
    ending: {
      description: 'Nothing is left to do here: the first process stays as the anchor, any other ends.',
      always: [
        { guard: 'mustIntroduce', target: 'introducing' },
        { guard: 'becomesAnchor', target: '#supervisor.anchored' },
        { target: '#supervisor.stopped' },
      ],
    },
    introducing: {
      description: 'The successor is told that this process stays: only then is the link to it closed.',
      entry: 'tellAnchored',
      on: {
        'reload.anchored': { target: '#supervisor.anchored' },
        'successor.lost': { target: 'returning' },
        'reload.requested': [
          { guard: 'isSignalled', actions: 'deferReload' },
          { actions: ['joinLastReload', 'answer'] },
        ],
        // As an anchor it is said again, and counted once. It may never become one.
        'stop.requested': { actions: ['countStop', 'abortReload'] },
      },
    },
  },
});
