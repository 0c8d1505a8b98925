import type { Cluster, Worker } from 'node:cluster';
import type { Server } from 'node:net';
import { isHttpServer } from '../worker/connections.js';
import type { Drainable } from '../worker/shutdown.js';

/** Loaded only where a plain server is to listen: few programs have either. */
const theCluster = () => process.getBuiltinModule('node:cluster') as unknown as Cluster;

/** The processes that a program has started by `node:cluster`. The first of them listens for all, by a plain server. */
export class ClusterWorkers implements Drainable {
  #left = new Set<Worker>();

  /** Whether a server that is to listen is the one for those processes. */
  static areServedBy(server: Server): boolean {
    return !isHttpServer(server) && Object.keys(theCluster().workers ?? {}).length > 0;
  }

  /** Each closes its servers, and is done when their connections have ended. */
  async drain(): Promise<void> {
    this.#left = new Set(Object.values(theCluster().workers ?? {}).filter((worker) => worker !== undefined));
    const all = [...this.#left].map((worker) => this.#endOf(worker));
    // Its own callback comes before they have ended (Node 20 to 24).
    theCluster().disconnect();
    await Promise.all(all);
  }

  cut(): number {
    for (const worker of this.#left) worker.process.kill('SIGKILL');
    return this.#left.size;
  }

  #endOf(worker: Worker): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#left.delete(worker);
        resolve();
      };
      worker.once('disconnect', end);
      worker.once('exit', end);
    });
  }
}
