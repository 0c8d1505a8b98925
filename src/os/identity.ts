/**
 * Being another user: for a moment, to open a file as that user would, and for good.
 */
import { accessSync, chownSync, closeSync, constants, fstatSync, lchownSync, openSync } from 'node:fs';
import type { Account } from '../../machines/policy.js';
import { TanistError } from '../errors.js';
import type { Use } from '../program.js';

const ROOT = 0;
/** From <fcntl.h> of Linux: the file itself, opened for nothing. Node has no name for it. */
const O_PATH = 0o10000000;

/** Who this process is, as the kernel has it. */
export interface Credentials {
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  readonly groups: readonly number[];
}

/** The calls by which a process becomes another user; given, so that a test can see in which order. */
export interface IdentityCalls {
  setgroups(groups: number[]): void;
  initgroups(user: string, gid: number): void;
  setgid(gid: number): void;
  setuid(uid: number): void;
  credentials(): Credentials;
}

const onPosix = (): never => {
  throw new TanistError('TANIST_IDENTITY', 'this system has no users and groups in the sense of POSIX');
};

export const credentialsNow = (): Credentials => ({
  uid: process.getuid?.() ?? -1,
  euid: process.geteuid?.() ?? -1,
  gid: process.getgid?.() ?? -1,
  egid: process.getegid?.() ?? -1,
  groups: process.getgroups?.() ?? [],
});

// Node has it, its types do not.
const { initgroups } = process as { initgroups?: IdentityCalls['initgroups'] };

const CALLS: IdentityCalls = {
  setgroups: (groups) => (process.setgroups ?? onPosix)(groups),
  initgroups: (user, gid) => (initgroups ?? onPosix)(user, gid),
  setgid: (gid) => (process.setgid ?? onPosix)(gid),
  setuid: (uid) => (process.setuid ?? onPosix)(uid),
  credentials: credentialsNow,
};

/** How a process differs from an account, in words; null where it is that account and nothing else. */
export const deviation = (account: Account, now: Credentials): string | null => {
  const wanted = { uid: account.uid, euid: account.uid, gid: account.gid, egid: account.gid };
  for (const key of ['uid', 'euid', 'gid', 'egid'] as const)
    if (now[key] !== wanted[key]) return `its ${key} is ${now[key]}, ${wanted[key]} was expected`;
  return null;
};

const failed = (message: string, cause?: unknown): TanistError =>
  new TanistError('TANIST_IDENTITY', message, cause === undefined ? {} : { cause });

const text = ({ uid, gid }: Account): string => `user ${uid} and group ${gid}`;

/** Makes the calls by which the process becomes the account; what the system refuses is told. */
const become = (account: Account, act: () => void): void => {
  try {
    act();
  } catch (error) {
    if (error instanceof TanistError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw failed(`cannot become ${text(account)}: ${reason}`, error);
  }
};

/** Makes sure that a call is refused: one that succeeds has found a way back. */
const mustFail = (what: string, call: () => void): void => {
  try {
    call();
  } catch {
    // EPERM: as it should be.
    return;
  }
  throw failed(`the process could become ${what} again after it had given that up`);
};

/** Every group of whoever started us is dropped before the account's own are taken. */
const takeGroups = ({ user, gid }: Account, calls: IdentityCalls): void => {
  calls.setgroups([]);
  const { groups, egid } = calls.credentials();
  // Node counts the effective group in.
  const kept = groups.filter((group) => group !== egid);
  if (kept.length > 0) throw failed(`the supplementary groups ${kept.join(', ')} could not be dropped`);
  if (user === null) calls.setgroups([gid]);
  else calls.initgroups(user, gid);
};

/**
 * Becomes the account for good: supplementary groups, group, user; each result is looked at, and that there is no way
 * back.
 *
 * @returns the groups of the process.
 * @throws {TanistError} `TANIST_IDENTITY`. The process is anything in between then, and must end.
 */
export const assume = (account: Account, calls: IdentityCalls = CALLS): readonly number[] => {
  if (process.env.UV_USE_IO_URING !== undefined && process.env.UV_USE_IO_URING !== '0')
    throw failed('UV_USE_IO_URING is set: the kernel would go on doing what is queued there as root');
  become(account, () => {
    takeGroups(account, calls);
    calls.setgid(account.gid);
    calls.setuid(account.uid);
  });
  const now = calls.credentials();
  const problem = deviation(account, now);
  if (problem !== null) throw failed(`the process did not become ${text(account)}: ${problem}`);
  if (!now.groups.includes(account.gid))
    throw failed(`the process did not become ${text(account)}: its groups are ${now.groups.join(', ')}`);
  if (account.uid !== ROOT) {
    mustFail('root', () => calls.setuid(ROOT));
    if (account.gid !== ROOT && !now.groups.includes(ROOT))
      mustFail("a member of root's group", () => calls.setgid(ROOT));
  }
  return now.groups;
};

/** Whether this process is to become the account later on: it is root still, and the account is not. */
const isLater = (account: Account | null): account is Account =>
  account !== null && account.uid !== ROOT && process.geteuid?.() === ROOT;

/**
 * Does something as the account would do it, and is root again: what is opened so can be no file that only root may
 * open, whatever the account has put in its place. Nothing may wait meanwhile: the whole process is that user.
 *
 * @throws {TanistError} `TANIST_IDENTITY` where the system refuses it; and what `act` throws. It is root again then.
 */
export const asAccount = <Result>(account: Account | null, act: () => Result): Result => {
  const { getgroups, setegid, seteuid, setgroups } = process;
  if (!isLater(account) || !getgroups || !setegid || !seteuid || !setgroups) return act();
  const { groups, egid } = credentialsNow();
  try {
    become(account, () => {
      takeGroups(account, CALLS);
      setegid(account.gid);
      seteuid(account.uid);
    });
    return act();
  } finally {
    seteuid(ROOT);
    setegid(egid);
    // Whoever may not change them has not, and must be told that, not this.
    if (String(credentialsNow().groups) !== String(groups)) setgroups([...groups]);
  }
};

/**
 * Makes a socket's path the account's, while it is the file that was bound.
 *
 * @param file `device:inode`.
 * @throws the system's error.
 */
export const give = (path: string, file: string, { uid, gid }: Account): void => {
  // Without a name to go by, nobody can put another file in its place in between.
  if (process.platform !== 'linux') return lchownSync(path, uid, gid);
  const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const found = fstatSync(descriptor);
    if (found.isSocket() && `${found.dev}:${found.ino}` === file)
      chownSync(`/proc/self/fd/${descriptor}`, uid, gid);
  } finally {
    closeSync(descriptor);
  }
};

const MODES: Readonly<Record<Use, number>> = {
  enter: constants.X_OK,
  read: constants.R_OK,
  execute: constants.X_OK,
  'make files in': constants.W_OK | constants.X_OK,
};

/** Why this process may not use a path so; null where it may. */
export const obstacle = (path: string, use: Use): string | null => {
  try {
    accessSync(path, MODES[use]);
    return null;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
};
