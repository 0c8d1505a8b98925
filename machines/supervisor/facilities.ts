/**
 * Opening what is held to the end: lock, fence, listeners, life pipe, control socket.
 */
import { assign, enqueueActions, stopChild } from 'xstate';
import { DEFAULTS } from '../policy.js';
import { failureOf, fencePath, type SupervisorContext } from './context.js';
import { withGuards } from './setup.js';

/** During a reload the successor may be in charge already; whoever comes back from one publishes anyway. */
const mayPublish = ({ inCharge, promoted, link, stops, failure, opened }: SupervisorContext): boolean =>
  inCharge && !promoted && link !== 'reload' && stops === 0 && failure === null && opened.includes('control');

export const withFacilities = withGuards.extend({
  actions: {
    openLock: enqueueActions(({ context, enqueue }) => {
      const { pidFile } = context.settings;
      if (pidFile === null) return;
      enqueue.spawnChild('flock', { id: 'lock', input: { path: pidFile, inherited: context.lock } });
      enqueue.assign({ opened: [...context.opened, 'lock' as const] });
    }),
    openFence: enqueueActions(({ context, enqueue }) => {
      const { pidFile } = context.settings;
      if (pidFile === null) return;
      enqueue.spawnChild('fence', {
        id: 'fence',
        input: { path: fencePath(pidFile), inherited: context.inheritance.fence },
      });
    }),
    openFenceIfInherited: enqueueActions(({ context, enqueue }) => {
      const { pidFile } = context.settings;
      if (pidFile === null || context.inheritance.fence === null) return;
      enqueue.spawnChild('fence', {
        id: 'fence',
        input: { path: fencePath(pidFile), inherited: context.inheritance.fence },
      });
    }),
    openListeners: enqueueActions(({ context, enqueue }) => {
      enqueue.spawnChild('listeners', {
        id: 'listeners',
        input: {
          specs: context.settings.listen,
          inherited: context.handover === null ? null : context.inheritance.listeners,
        },
      });
      enqueue.assign({ opened: [...context.opened, 'listeners' as const] });
    }),
    assumeIdentity: enqueueActions(({ context, enqueue }) => {
      const { account } = context.settings;
      if (account === null) return;
      const { listeners } = context.inheritance;
      enqueue.spawnChild('identity', { id: 'identity', input: { account, listeners } });
    }),
    closeIdentity: stopChild('identity'),
    openLifePipe: enqueueActions(({ enqueue }) => {
      enqueue.spawnChild('lifePipe', { id: 'lifePipe', input: {} });
    }),
    openControl: enqueueActions(({ context, enqueue }) => {
      const { control: path } = context.settings;
      if (path === null) return;
      enqueue.spawnChild('control', { id: 'control', input: { path } });
      enqueue.assign({ opened: [...context.opened, 'control' as const] });
    }),
    openStarter: enqueueActions(({ context, enqueue }) => {
      if (typeof context.starter !== 'number') return;
      enqueue.spawnChild('starter', { id: 'starter', input: { descriptor: context.starter } });
    }),
    tellStarter: enqueueActions(({ enqueue }) => {
      enqueue.sendTo('starter', { type: 'starter.tell' });
      enqueue.assign({ awaited: false });
    }),
    publish: enqueueActions(({ context: { opened, handover }, enqueue }) => {
      if (opened.includes('lock')) enqueue.sendTo('lock', { type: 'pid.write' });
      if (opened.includes('control'))
        enqueue.sendTo('control', { type: 'control.claim', first: handover === null });
    }),
    /** A generation after this one, or this one before, had the path: its end there is replaced. */
    republish: enqueueActions(({ context: { opened }, enqueue }) => {
      if (opened.includes('lock')) enqueue.sendTo('lock', { type: 'pid.write' });
      if (opened.includes('control')) enqueue.sendTo('control', { type: 'control.claim', first: false });
    }),
    publishLater: enqueueActions(({ context, enqueue }) => {
      if (!mayPublish(context)) return;
      enqueue.stopChild('publishAlarm');
      enqueue.spawnChild('alarm', {
        id: 'publishAlarm',
        input: { alarm: 'publish', delayMs: DEFAULTS.publishRetryMs },
      });
    }),
    publishAgain: enqueueActions(({ context, enqueue }) => {
      enqueue.stopChild('publishAlarm');
      if (!mayPublish(context)) return;
      if (context.opened.includes('lock')) enqueue.sendTo('lock', { type: 'pid.write' });
      enqueue.sendTo('control', { type: 'control.claim', first: false });
    }),
    recordLock: assign(({ event }) => (event.type === 'lock.acquired' ? { lock: event.descriptor } : {})),
    recordFence: assign(({ context, event }) =>
      event.type !== 'fence.acquired'
        ? {}
        : { inheritance: { ...context.inheritance, fence: event.descriptor } },
    ),
    recordListeners: assign(({ context, event }) =>
      event.type !== 'listeners.bound'
        ? {}
        : { inheritance: { ...context.inheritance, listeners: event.listeners } },
    ),
    recordLifePipe: assign(({ context, event }) =>
      event.type !== 'lifePipe.opened'
        ? {}
        : { lifeRead: event.read, inheritance: { ...context.inheritance, lifeWrite: event.write } },
    ),
    recordFailure: assign((args) => ({ failure: failureOf(args) })),
    recordOverLimit: assign(({ context }) => ({
      failure: {
        code: 'TANIST_RESPAWN_LIMIT',
        message: `more than ${context.settings.respawnLimit?.count} respawns within ${(context.settings.respawnLimit?.withinMs ?? 0) / 1000} s`,
      },
    })),
  },
});
