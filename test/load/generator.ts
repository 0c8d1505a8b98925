/**
 * The load: a process of its own, so that nothing else delays it.
 *
 * Requests are due at fixed moments, whatever became of those before (an open loop): a service that stalls
 * is asked on, and every request's latency counts from the moment it was due.
 */
import http from 'node:http';
import { type LoadFact, type LoadOrder, type LoadPlan, monotonicMs, type Sample } from './plan.js';
import { type Connection, type Due, startRequest, type UnderWay } from './request.js';

const PROGRESS_EVERY_MS = 100;

const tell = (fact: LoadFact): void => {
  process.send?.(fact);
};

class Generator {
  readonly #plan: LoadPlan;
  readonly #agents: readonly http.Agent[];
  readonly #startedAtMs = monotonicMs();
  readonly #samples: Sample[] = [];
  /** In the order in which they were due. */
  readonly #underWay = new Set<UnderWay>();
  readonly #waiting: Due[] = [];
  /** When the worker at the other end of a port was killed. */
  readonly #doomed = new Map<number, number>();
  #everyoneDoomedAtMs = 0;
  #sent = 0;
  #stopping = false;
  #failed = 0;
  #lost = 0;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#agents = Array.from(
      { length: plan.keepAliveClients },
      () => new http.Agent({ keepAlive: true, maxSockets: 1 }),
    );
    this.#next();
    setInterval(() => {
      this.#expire();
      this.#tellProgress();
    }, PROGRESS_EVERY_MS);
  }

  doom(ports: readonly number[] | null): void {
    const atMs = monotonicMs();
    for (const port of ports ?? []) this.#doomed.set(port, atMs);
    // Where nobody tells whose connection is whose, every one of this moment may be the worker's.
    if (ports === null) this.#everyoneDoomedAtMs = atMs;
    tell({ type: 'connections.doomed' });
  }

  #isDoomed({ port, beganAtMs }: Connection): boolean {
    return beganAtMs < Math.max(this.#everyoneDoomedAtMs, this.#doomed.get(port) ?? 0);
  }

  stop(): void {
    this.#stopping = true;
    this.#endIfDone();
  }

  /** Starts what is due, and comes again when the next one is. */
  #next(): void {
    if (this.#stopping) return;
    const intervalMs = 1_000 / this.#plan.ratePerSecond;
    for (;;) {
      const dueAtMs = this.#startedAtMs + this.#sent * intervalMs;
      const waitMs = dueAtMs - monotonicMs();
      if (waitMs > 0) {
        setTimeout(() => this.#next(), waitMs);
        return;
      }
      // Every second request belongs to a client that keeps its connection; these ask in turn.
      const client = this.#sent % 2 === 0 ? null : ((this.#sent - 1) / 2) % this.#agents.length;
      this.#sent += 1;
      this.#waiting.push({ dueAtMs, agent: client === null ? null : (this.#agents[client] ?? null) });
      this.#startWaiting();
    }
  }

  #startWaiting(): void {
    while (this.#underWay.size < this.#plan.maxInFlight) {
      const due = this.#waiting.shift();
      if (due === undefined) return;
      this.#underWay.add(
        startRequest(
          due,
          this.#plan,
          (connection) => this.#isDoomed(connection),
          (request, sample) => {
            this.#underWay.delete(request);
            this.#record(sample);
          },
        ),
      );
    }
  }

  #record(sample: Sample): void {
    this.#samples.push(sample);
    if (sample.outcome === 'lost') this.#lost += 1;
    else if (sample.outcome !== 'ok') this.#failed += 1;
    this.#startWaiting();
    this.#endIfDone();
  }

  #expire(): void {
    const before = monotonicMs() - this.#plan.timeoutMs;
    for (const request of this.#underWay) if (request.due.dueAtMs < before) request.expire();
  }

  #tellProgress(): void {
    const { size } = this.#underWay;
    const answered = this.#samples.length - this.#failed - this.#lost;
    tell({
      type: 'load.progressed',
      answered,
      failed: this.#failed,
      lost: this.#lost,
      inFlight: size + this.#waiting.length,
    });
  }

  #endIfDone(): void {
    if (!this.#stopping || this.#underWay.size + this.#waiting.length > 0) return;
    tell({ type: 'load.ended', samples: this.#samples });
  }
}

let generator: Generator | null = null;

process.on('message', (order: LoadOrder) => {
  if (order.type === 'load.start') generator = new Generator(order.plan);
  else if (order.type === 'connections.doom') generator?.doom(order.ports);
  else generator?.stop();
});
// Whoever started the load ends it, also when a terminal interrupts them both; without him it has no purpose.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
