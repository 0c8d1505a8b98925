import type { EventObject } from 'xstate';
import type { IdentityInput } from '../../machines/contracts.js';
import type { BoundListener, IdentityFact } from '../../machines/events.js';
import type { Account } from '../../machines/policy.js';
import type { Env } from '../os/env.js';
import type { Need } from '../program.js';
import { effect, failureOf } from './effect.js';

/** What another user has to be able to do. */
export interface IdentityOptions {
  /** What the account must be able to use, or nothing would ever run: told at the start, not at the first reload. */
  readonly needs: readonly Need[];
}

const UNIX = 'unix:';

/** Whoever may remove a path in a directory such as /tmp is who owns it. */
const give = (env: Env, { address, file, origin }: BoundListener, account: Account): void => {
  if (address.startsWith(UNIX) && origin === undefined && file !== undefined)
    env.give(address.slice(UNIX.length), file, account);
};

/** The first need that is not met, in words; null when all are. */
const unmet = (env: Env, needs: readonly Need[], { user, uid }: Account): string | null => {
  for (const { path, use, purpose } of needs) {
    const obstacle = env.obstacle(path, use);
    if (obstacle !== null) return `${user ?? `user ${uid}`} cannot ${use} ${path}, ${purpose}: ${obstacle}`;
  }
  return null;
};

/** Becomes another user for good. */
export const createIdentity = (env: Env, { needs }: IdentityOptions) =>
  effect<IdentityInput, EventObject, IdentityFact>(env, ({ input, report }) => {
    const { account, listeners } = input;
    try {
      for (const listener of listeners) give(env, listener, account);
      const groups = env.assume(account);
      const problem = unmet(env, needs, account);
      if (problem === null) report({ type: 'identity.assumed', ...account, groups });
      else report({ type: 'identity.failed', code: 'TANIST_USER_ACCESS', message: problem });
    } catch (error) {
      report({ type: 'identity.failed', ...failureOf(error, 'TANIST_IDENTITY') });
    }
    return undefined;
  });
