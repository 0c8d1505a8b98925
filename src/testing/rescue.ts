/**
 * The shipped emergency path in a simulated process: its door, and what happens when something in it is defective.
 */
import type { Settings } from '../../machines/policy.js';
import { Emergency, type LastKnown } from '../emergency/emergency.js';
import { Holdings } from '../emergency/holdings.js';
import { inheritedBy } from '../emergency/inherited.js';
import { recordingEnv } from '../emergency/recording-env.js';
import type { Handover } from '../handover.js';
import type { Env } from '../os/env.js';
import type { Machinery } from './machinery.js';
import type { SimulatedProcess } from './process.js';
import { createSimulatedEnv, DEAD } from './simulated-env.js';

export interface RescueParts {
  readonly settings: Settings;
  readonly handover: Handover | null;
  readonly lastKnown: () => LastKnown;
  /** Called once, when all that is ours has left or was left to another generation. */
  readonly onEnd: () => void;
}

export interface Rescue {
  /** The door for the effects. */
  readonly door: Env;
  /** What an exception that nobody has caught leads to. */
  begin(error: unknown): void;
  readonly isBegun: boolean;
  /** Workers that were still there when nobody else could end them; null for none, or while it goes on. */
  readonly left: string | null;
}

/** Code of a process that was killed runs to its end here, and does nothing more. */
const mortal = (env: Env, process: SimulatedProcess): Env =>
  new Proxy(env, {
    get: (target, key) => (process.isAlive ? target : DEAD)[key as keyof Env],
  });

export const createRescue = (
  machinery: Machinery,
  process: SimulatedProcess,
  { settings, handover, lastKnown, onEnd }: RescueParts,
): Rescue => {
  const { kernel } = machinery;
  const holdings = new Holdings(inheritedBy(handover, settings));
  const bare = mortal(createSimulatedEnv(machinery, process), process);
  // kill(2) of a child that was not reaped cannot fail; elsewhere it does, since the machines look again.
  const sure: Machinery = {
    ...machinery,
    trouble: (call) => (call === 'signal' ? null : machinery.trouble(call)),
  };
  let left: string | null = null;
  const emergency = new Emergency({
    env: mortal(createSimulatedEnv(sure, process), process),
    holdings,
    settings,
    log: (_level, event, message) => kernel.note(() => `${process.name}: ${event}: ${message}`),
    lastKnown,
    onBegin: () => undefined,
    onEnd: () => {
      const orphans = holdings.workers.filter(({ pid }) => kernel.processes.get(pid)?.isAlive);
      if (holdings.predecessor === null && orphans.length > 0)
        left = orphans.map(({ pid }) => `pid ${pid}`).join(', ');
      onEnd();
    },
  });
  const begin = (error: unknown) => {
    if (process.isAlive) emergency.begin(error);
  };
  return {
    door: recordingEnv(bare, holdings, (error) => {
      if (!process.isAlive) return;
      kernel.breaches.push(`no exception is uncaught: ${process.name}: ${String(error)}`);
      begin(error);
    }),
    begin,
    get isBegun() {
      return emergency.failure !== null;
    },
    get left() {
      return left;
    },
  };
};
