/** What went wrong in a worker. */
export type WorkerErrorCode =
  /** There is nothing to listen on. */
  | 'TANIST_NO_LISTENER'
  /** There are listeners, but none of that name. */
  | 'TANIST_UNKNOWN_LISTENER'
  /** A variable of tanist's names something that this process does not have. */
  | 'TANIST_ENVIRONMENT_INVALID'
  /** The supervisor has ended, or no longer answers. */
  | 'TANIST_SUPERVISOR_GONE'
  /** This worker is leaving: the reason of `worker.signal`. */
  | 'TANIST_LEAVING'
  /** A call that cannot work as it was written. */
  | 'TANIST_USAGE';

/** What `tanist/worker` throws: a code to test for, and a message that says what to do. */
export class WorkerError extends Error {
  /** `WorkerError`, in stack traces too. */
  override readonly name = 'WorkerError';
  /** To be tested for; messages may change. */
  readonly code: WorkerErrorCode;

  /** @param cause what was thrown before, if this comes of it. */
  constructor(code: WorkerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
