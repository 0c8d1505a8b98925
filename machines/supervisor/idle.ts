/**
 * From the start to the first worker that is ready; a successor, until it asks for takeover.
 */
import { supervisorSetup } from './end-actions.js';
import { earlyReload, reload } from './ways.js';

export const idle = supervisorSetup.createStateConfig({
  description: 'No worker has been ready yet. A successor stays here until it asks for takeover.',
  initial: 'deciding',
  on: {
    'stop.requested': { target: 'stopping', actions: 'countStop' },
    'starter.gone': { target: 'stopping', actions: 'recordFailure' },
    'reload.requested': earlyReload,
  },
  states: {
    deciding: {
      description: 'A successor inherits what a first generation has to open.',
      always: [
        {
          guard: 'isSuccessor',
          target: 'warming',
          actions: ['openLock', 'openFenceIfInherited', 'openListeners', 'openControl', 'startTakeover'],
        },
        { guard: 'hasPidFile', target: 'locking', actions: ['openLock', 'openStarter'] },
        // Nothing keeps a second start out, and there is no path for a lock of the workers.
        { target: 'binding', actions: ['openListeners', 'openStarter'] },
      ],
    },
    locking: {
      description: 'The pid-file lock is being taken.',
      on: {
        'lock.acquired': [
          { guard: 'isExclusive', target: 'fencing', actions: ['recordLock', 'openFence'] },
          { target: 'binding', actions: ['recordLock', 'openListeners'] },
        ],
        'lock.held': { target: '#supervisor.failed', actions: 'recordFailure' },
        'lock.failed': { target: '#supervisor.failed', actions: 'recordFailure' },
      },
    },
    fencing: {
      description: 'Exclusive: workers of an earlier supervisor, killed alone, may still serve.',
      invoke: {
        id: 'fenceAlarm',
        src: 'alarm',
        input: ({ context }) => ({ alarm: 'fence', delayMs: context.settings.drainTimeoutMs }),
      },
      on: {
        'fence.acquired': { target: 'binding', actions: ['recordFence', 'openListeners'] },
        'fence.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
        'alarm.fired': {
          guard: { type: 'isAlarm', params: { alarm: 'fence' } },
          target: '#supervisor.stopping',
          actions: 'recordFailure',
        },
      },
    },
    binding: {
      description: 'The listeners are being opened.',
      on: {
        'listeners.bound': [
          { guard: 'changesIdentity', target: 'assuming', actions: 'recordListeners' },
          { target: 'opening', actions: ['recordListeners', 'openLifePipe'] },
        ],
        'listeners.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
      },
    },
    assuming: {
      description: 'What only root may open is open: the supervisor becomes the user it was told.',
      entry: 'assumeIdentity',
      exit: 'closeIdentity',
      on: {
        'identity.assumed': { target: 'opening', actions: 'openLifePipe' },
        'identity.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
      },
    },
    opening: {
      description: 'The life pipe is being made.',
      on: {
        'lifePipe.opened': [
          { guard: 'becomesAnchor', target: 'mooring', actions: ['recordLifePipe', 'openService'] },
          { target: 'publishing', actions: ['recordLifePipe', 'openControl', 'publish'] },
        ],
        'lifePipe.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
      },
    },
    mooring: {
      description: 'The first process makes the socket pair by which it stays reachable as the anchor.',
      on: {
        'service.prepared': { target: 'publishing', actions: ['recordService', 'openControl', 'publish'] },
        'service.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
      },
    },
    publishing: {
      description: 'Pid and control socket are being published, where there are any.',
      always: { guard: 'hasNoControl', target: 'filling' },
      on: {
        'control.claimed': { target: 'filling' },
        'control.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
        'pid.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
      },
    },
    filling: {
      description: 'The slots are being filled. Does a command wait for them?',
      entry: ['createSlots', 'fillSlots'],
      always: [{ guard: 'isAwaited', target: 'proving' }, { target: 'starting' }],
    },
    proving: {
      description:
        'A daemonized start: a command waits until every worker is ready. The first that fails ends it all.',
      always: { guard: 'allReady', target: 'starting', actions: ['tellStarter', 'retainSlots'] },
      on: {
        'worker.failed': { target: '#supervisor.stopping', actions: 'recordFailure' },
      },
    },
    starting: {
      description: 'Waits for the first worker that is ready.',
      always: [
        { guard: 'isOverLimit', target: '#supervisor.stopping', actions: 'recordOverLimit' },
        {
          guard: 'isReloadDeferred',
          target: '#supervisor.reloading',
          actions: ['beginDeferredReload', 'startSuccessor'],
        },
        { guard: 'allReady', target: '#supervisor.running' },
        { guard: 'someReady', target: '#supervisor.respawning' },
      ],
      on: { 'reload.requested': reload },
    },
    warming: {
      description: 'A successor brings up its workers; the predecessor serves.',
      entry: ['createSlots', 'fillSlotsUnlessLate'],
      on: {
        'takeover.asked': { target: '#supervisor.takeover', actions: 'phaseTakeover' },
        'stop.requested': { actions: ['countStop', 'passStop'] },
        'reload.requested': { actions: 'joinReload' },
      },
    },
  },
});
