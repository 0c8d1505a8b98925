import type { EventObject } from 'xstate';
import type { AlarmInput } from '../../machines/contracts.js';
import type { AlarmFired } from '../../machines/events.js';
import type { Env } from '../os/env.js';
import { effect } from './effect.js';

/** A named one-shot timer: the one door for waiting. */
export const createAlarm = (env: Env) =>
  effect<AlarmInput, EventObject, AlarmFired>(env, ({ input, report }) =>
    env.setTimer(() => report({ type: 'alarm.fired', alarm: input.alarm }), input.delayMs),
  );
