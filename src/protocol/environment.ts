/**
 * The names of the environment variables tanist gives to workers and successors.
 */
export const VARIABLES = {
  channelFd: 'TANIST_CHANNEL_FD',
  probeFd: 'TANIST_PROBE_FD',
  generation: 'TANIST_GENERATION',
  slot: 'TANIST_SLOT',
  supervisorPid: 'TANIST_SUPERVISOR_PID',
  pingTimeoutMs: 'TANIST_PING_TIMEOUT_MS',
  drainTimeoutMs: 'TANIST_DRAIN_TIMEOUT_MS',
  /** With --watchdog: a worker that has pinged once must go on saying something at least so often. */
  watchdogMs: 'TANIST_WATCHDOG_MS',
  /** What asks a worker to leave, e.g. `SIGTERM`. */
  stopSignal: 'TANIST_STOP_SIGNAL',
  /** The addresses of the listeners, in their order, as a JSON array: for the preload of --adopt, which removes it. */
  adopt: 'TANIST_ADOPT',
  /** With --watchdog, names the descriptor on which the reporter is asked: for its preload, which removes it. */
  reporterFd: 'TANIST_REPORTER_FD',
  listenFds: 'LISTEN_FDS',
  listenFdNames: 'LISTEN_FDNAMES',
  listenPid: 'LISTEN_PID',
  serverStarterPort: 'SERVER_STARTER_PORT',
  serverStarterGeneration: 'SERVER_STARTER_GENERATION',
  /** Names the descriptor of the private socket to the predecessor. Only a successor supervisor ever has it. */
  handoverFd: 'TANIST_HANDOVER_FD',
  /** Names the descriptor of the socket to the command that waits for a daemonized start. Only that daemon has it. */
  starterFd: 'TANIST_STARTER_FD',
} as const;

/** What must not be inherited from whoever started the supervisor: each start sets its own, or none. */
export const PRIVATE_VARIABLES: readonly string[] = Object.values(VARIABLES);

/** Listeners start here, as sd_listen_fds(3) has it. */
export const FIRST_LISTENER_FD = 3;
