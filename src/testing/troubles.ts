/**
 * What can go wrong with a call to the operating system, and how it shows.
 */
import { type ErrorCode, TanistError } from '../errors.js';

/** Calls that can fail. */
export type FallibleCall =
  | 'assume'
  | 'lockPidFile'
  | 'openFence'
  | 'tryLock'
  | 'writePid'
  | 'removePid'
  | 'listen'
  | 'listenUnix'
  | 'socketPair'
  | 'makeToken'
  | 'spawn'
  | 'claim'
  | 'signal'
  | 'openMemory'
  | 'collectEvidence';

/** Calls that cannot fail, but whose caller may be killed just before. */
export type LastingCall = 'takeToken' | 'write';

type Errno = 'EAGAIN' | 'EMFILE' | 'ENOSPC' | 'EPERM';

export const ERRNOS: readonly Errno[] = ['EAGAIN', 'EMFILE', 'ENOSPC', 'EPERM'];

/** As Node throws it. */
class SystemError extends Error {
  readonly code: Errno;

  constructor(code: Errno, call: string) {
    super(`${code}: ${call} (simulated)`);
    this.code = code;
  }
}

/** The real door wraps what the system says of these. */
const WRAPPED: Readonly<Partial<Record<FallibleCall, ErrorCode>>> = {
  assume: 'TANIST_IDENTITY',
  lockPidFile: 'TANIST_LOCK_FAILED',
  openFence: 'TANIST_LOCK_FAILED',
  tryLock: 'TANIST_LOCK_FAILED',
  listen: 'TANIST_LISTEN_FAILED',
};

export const troubleOf = (call: FallibleCall, errno: Errno): Error => {
  const error = new SystemError(errno, call);
  const code = WRAPPED[call];
  return code === undefined ? error : new TanistError(code, error.message, { cause: error });
};

/** Its process was killed in the middle of its code: what it goes on with is not done. */
export class Killed extends Error {
  override readonly name = 'Killed';
}
