/**
 * The end of an emergency: what is ours alone is removed, what others share is left to them, all is closed.
 */
import type { BoundListener, Failure, Identity } from '../../machines/events.js';
import { killLeftovers } from '../actors/kill.js';
import type { Log } from '../log.js';
import type { Env } from '../os/env.js';
import { cutMessage } from '../protocol/anchor.js';
import type { Heir } from './emergency.js';
import { close, say } from './heirs.js';
import type { Holdings } from './holdings.js';

export interface GivingBack {
  readonly env: Env;
  readonly holdings: Holdings;
  readonly log: Log['line'];
  readonly heir: Heir;
  readonly failure: Failure;
  readonly leftovers: readonly Identity[];
  readonly onEnd: (failure: Failure) => void;
}

const UNIX = 'unix:';

/** Removes the name of a Unix listener, if it is ours and was not bound by somebody else. */
export const unlinkListener = (env: Pick<Env, 'unlink'>, { address, file, origin }: BoundListener): void => {
  if (address.startsWith(UNIX) && origin === undefined) env.unlink(address.slice(UNIX.length), file);
};

/** In the order of an orderly stop: the pid file last, while its lock still keeps others out. */
const removals = ({ env, holdings, leftovers }: GivingBack): readonly (() => void)[] => {
  // The other generation is gone where this one is the last: what it has written is as much ours.
  const writers = [env.pid, holdings.predecessor?.pid ?? null, holdings.formerSuccessor];
  return [
    () => killLeftovers(env, leftovers),
    ...[...holdings.controls].map((control) => () => control.remove()),
    ...[...holdings.listeners.values()].map((listener) => () => unlinkListener(env, listener)),
    ...[...holdings.fences.values()].map((path) => () => env.unlink(path)),
    ...[...holdings.pidFiles.values()].flatMap((pidFile) =>
      writers.flatMap((pid) => (pid === null ? [] : [() => pidFile.remove(pid)])),
    ),
  ];
};

/** The first process ends as the service does, and says why. */
const conclude = ({ env, holdings, failure }: GivingBack): void => {
  if (holdings.anchor === null) return;
  const said = { code: failure.code, message: cutMessage(failure.message) };
  // A copy: the effect may have closed its own, and its half-read stream with it.
  const copy = env.duplicate(holdings.anchor);
  say(env, holdings, copy, { say: 'concluded', failure: said });
  env.close(copy);
};

export const giveBack = (parts: GivingBack): void => {
  const { env, holdings, log, heir, failure, onEnd } = parts;
  const steps = [
    ...[...holdings.probes].map((path) => () => env.unlink(path)),
    ...(heir === null ? [...removals(parts), () => conclude(parts)] : []),
    () =>
      log('error', 'emergency.ended', heir === null ? 'nothing is left' : `the ${heir} has the service now`),
    () => onEnd(failure),
    ...[...holdings.controls].map((control) => () => control.close()),
    ...[...holdings.descriptors].map((descriptor) => () => close(env, holdings, descriptor)),
  ];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      // One that cannot be given back must not keep the others.
      log('error', 'emergency.failed', `something could not be given back: ${String(error)}`);
    }
  }
};
