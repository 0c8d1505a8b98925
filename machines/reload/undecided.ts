/**
 * The token lies there: the successor may still fail, or take charge.
 */
import { commitTimeoutMs } from '../policy.js';
import { reloadSetup } from './report-actions.js';

export const undecided = reloadSetup.createStateConfig({
  description: 'The token lies there: the successor may still fail, or take charge.',
  initial: 'starting',
  on: {
    'successor.failed': { target: 'claiming', actions: 'recordFailure' },
    // At any step: while this process hung, the successor may have decided without it.
    'successor.committed': { target: 'leaving' },
    'successor.exited': { guard: 'isSuccessor', target: 'burying', actions: 'recordExit' },
    'reload.abort': { target: 'claiming', actions: 'recordStop' },
    'stop.relayed': { target: 'claiming', actions: ['recordStop', 'reportStop'] },
    // However late: a stop may have been asked for before it existed.
    'successor.spawned': {
      guard: 'isAborted',
      target: 'claiming',
      actions: ['recordSuccessor', 'reportStarted'],
    },
  },
  states: {
    starting: {
      description: 'The successor starts and brings up its workers.',
      invoke: {
        id: 'reloadAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'reload', delayMs: context.settings.reloadTimeoutMs }),
      },
      on: {
        'takeover.requested': { target: 'looking' },
        'reload.abort': [
          { guard: 'hasSuccessor', target: '#reload.claiming', actions: 'recordStop' },
          { actions: 'recordStop' },
        ],
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'reload' } },
          target: 'lastLook',
        },
      },
    },
    lastLook: {
      description: 'The reload alarm fired: what waits is read before it counts.',
      entry: 'readInbox',
      on: {
        'takeover.requested': { target: 'looking' },
        'inbox.empty': { target: '#reload.claiming', actions: 'recordReloadTimeout' },
      },
    },
    looking: {
      description: 'The successor asked for takeover: does it live, and does nothing else wait?',
      entry: 'readInbox',
      on: {
        'inbox.empty': [
          { guard: 'isExclusive', target: 'draining' },
          { target: 'granted', actions: 'reportHandoff' },
        ],
      },
    },
    draining: {
      description: 'Exclusive: our workers leave, to the last process.',
      entry: ['sayDraining', 'readInbox'],
      invoke: {
        id: 'predecessorDrainAlarm',
        src: 'alarm',
        input: ({ context }) => ({
          alarm: 'predecessorDrain',
          delayMs: context.settings.drainTimeoutMs + context.settings.takeoverTimeoutMs,
        }),
      },
      on: {
        // Our workers are told to leave only when the successor has been told that they are.
        'inbox.empty': { actions: 'reportHandoff' },
        'workers.drained': { target: 'granted' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'predecessorDrain' } },
          target: '#reload.claiming',
          actions: 'recordDrainTimeout',
        },
      },
    },
    granted: {
      description: 'The successor may let its workers serve and take charge.',
      entry: ['recordServed', 'sayGranted'],
      invoke: {
        id: 'commitAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'commit', delayMs: commitTimeoutMs(context.settings) }),
      },
      on: {
        'successor.activated': { target: 'proving', actions: ['recordActivated', 'reportActivated'] },
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'commit' } }, target: 'finalLook' },
      },
    },
    proving: {
      description: "The successor's workers serve, on probation if it has one: it names its limit itself.",
      invoke: {
        id: 'commitAlarm',
        src: 'alarm',
        input: ({ context }) => ({
          alarm: 'commit',
          delayMs: context.limitMs ?? commitTimeoutMs(context.settings),
        }),
      },
      on: {
        'alarm.fired': { guard: { type: 'isAlarm', params: { alarm: 'commit' } }, target: 'finalLook' },
      },
    },
    finalLook: {
      description: 'The commit alarm fired: what waits is read before it counts.',
      entry: 'readInbox',
      on: {
        // It was late, and has its own limit from now on.
        'successor.activated': { target: 'proving', actions: ['recordActivated', 'reportActivated'] },
        'inbox.empty': { target: '#reload.claiming', actions: 'recordCommitTimeout' },
      },
    },
  },
});
