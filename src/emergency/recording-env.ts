/**
 * The door to the operating system with a book beside it: whatever goes through is written down in the holdings.
 */
import type { ControlRequest, Dispose, Env, SpawnRequest } from '../os/env.js';
import { unlinkListener } from './giving-back.js';
import type { Holdings } from './holdings.js';

/** Why nothing is sent. */
const SEALED = 'the supervisor has failed';

type Sockets = Pick<
  Env,
  'listen' | 'listenUnix' | 'socketPair' | 'makeToken' | 'duplicate' | 'openStream' | 'close' | 'unlink'
>;

/** Runs what an effect has left to be called: not after the seal, and an exception of it is told. */
type Guard = <Given extends unknown[]>(callback: (...given: Given) => void) => (...given: Given) => void;

const guardOf =
  (holdings: Holdings, onError: (error: unknown) => void): Guard =>
  (callback) =>
  (...given) => {
    if (holdings.isSealed) return;
    try {
      callback(...given);
    } catch (error) {
      onError(error);
    }
  };

/** A subscription that ends with the seal. */
const subscribed = (holdings: Holdings, subscribe: (done: () => void) => Dispose): Dispose => {
  if (holdings.isSealed) return () => undefined;
  const dispose = () => {
    // Once: what it gave back may be another's by now.
    if (holdings.subscriptions.delete(dispose)) stop();
  };
  holdings.subscriptions.add(dispose);
  const stop = subscribe(() => holdings.subscriptions.delete(dispose));
  return dispose;
};

/** What comes after the seal is given back, and nobody hears of it. */
const kept = <Value>(
  holdings: Holdings,
  coming: Promise<Value>,
  keep: (value: Value) => void,
  giveBack: (value: Value) => void,
): Promise<Value> =>
  new Promise((resolve, reject) => {
    coming.then(
      (value) => {
        if (holdings.isSealed) return giveBack(value);
        keep(value);
        resolve(value);
      },
      (error: unknown) => {
        if (!holdings.isSealed) reject(error);
      },
    );
  });

const spawning = (env: Env, holdings: Holdings, guard: Guard) => (request: SpawnRequest) => {
  if (holdings.isSealed) return;
  let pid = 0;
  env.spawn({
    ...request,
    onSpawn: (child) => {
      pid = child.pid;
      holdings.children.set(pid, { ...child, role: request.role });
      for (const descriptor of child.streams) holdings.descriptors.add(descriptor);
      guard(request.onSpawn)(child);
    },
    onFailure: guard(request.onFailure),
    onExit: (exit) => {
      holdings.children.delete(pid);
      if (request.role === 'successor') holdings.formerSuccessor = pid;
      if (holdings.isSealed) holdings.onChildGone();
      else guard(request.onExit)(exit);
    },
  });
};

const sockets = (env: Env, holdings: Holdings, guard: Guard): Sockets => {
  const keep = (...descriptors: readonly number[]) => {
    for (const descriptor of descriptors) holdings.descriptors.add(descriptor);
  };
  return {
    listen: (spec, taken) =>
      kept(
        holdings,
        env.listen(spec, taken),
        (listeners) => {
          for (const listener of listeners) holdings.keepListener(listener);
        },
        (listeners) => {
          for (const listener of listeners) {
            unlinkListener(env, listener);
            env.close(listener.descriptor);
          }
        },
      ),
    listenUnix: (path) => {
      holdings.probes.add(path);
      return kept(holdings, env.listenUnix(path), keep, env.close);
    },
    socketPair: () =>
      kept(
        holdings,
        env.socketPair(),
        (pair) => keep(...pair),
        (pair) => pair.forEach(env.close),
      ),
    makeToken: () => kept(holdings, env.makeToken(), keep, env.close),
    duplicate: (descriptor) => {
      const copy = env.duplicate(descriptor);
      keep(copy);
      return copy;
    },
    openStream: (descriptor, handlers) => {
      keep(descriptor);
      const stream = env.openStream(descriptor, {
        ...handlers,
        onData: guard(handlers.onData),
        onEnd: () => {
          holdings.forget(descriptor);
          guard(handlers.onEnd)();
        },
      });
      holdings.streams.set(descriptor, stream);
      return {
        write: (text) => stream.write(text),
        close: () => {
          if (holdings.isSealed) return;
          // After its end the number may be another's.
          if (holdings.streams.get(descriptor) === stream) holdings.forget(descriptor);
          stream.close();
        },
      };
    },
    close: (descriptor) => {
      if (holdings.isSealed) return;
      holdings.forget(descriptor);
      env.close(descriptor);
    },
    unlink: (path, file) => {
      if (holdings.isSealed) return SEALED;
      holdings.probes.delete(path);
      return env.unlink(path, file);
    },
  };
};

const recorded = (holdings: Holdings, request: ControlRequest): ControlRequest => {
  const answered =
    <Given extends unknown[], Told>(answer: (...given: Given) => Told) =>
    (...given: Given): Told => {
      holdings.waiting.delete(request);
      return answer(...given);
    };
  holdings.waiting.add(request);
  return {
    ...request,
    respond: answered((status: number, body: unknown) => request.respond(status, body)),
    respondText: answered((type: string, text: string) => request.respondText(type, text)),
    hold: answered((status: number, body: unknown) => request.hold(status, body)),
    stream: answered((type: string, onClose: () => void) => request.stream(type, onClose)),
  };
};

const serving =
  (env: Env, holdings: Holdings, guard: Guard): Env['serveControl'] =>
  (handler) => {
    const handle = guard(handler);
    const server = env.serveControl((request) =>
      holdings.isSealed ? holdings.onLateRequest(request) : handle(recorded(holdings, request)),
    );
    holdings.controls.add(server);
    return {
      ...server,
      close: () => {
        if (holdings.isSealed) return;
        holdings.controls.delete(server);
        server.close();
      },
    };
  };

/**
 * The same door, for the effects: everything that they take is recorded, and an exception in what they have left to
 * be called ends nothing by itself.
 *
 * After the seal they give nothing back either: XState stops the effects of a machine in error at once in some cases
 * and never in others, and the lock must outlive the workers.
 *
 * @param onError what an effect threw when the system called it back.
 */
export const recordingEnv = (env: Env, holdings: Holdings, onError: (error: unknown) => void): Env => {
  const guard = guardOf(holdings, onError);
  return {
    ...env,
    setTimer: (callback, delayMs) =>
      subscribed(holdings, (done) =>
        env.setTimer(() => {
          done();
          guard(callback)();
        }, delayMs),
      ),
    afterPoll: (callback) => env.afterPoll(guard(callback)),
    onSignal: (signal, callback) => subscribed(holdings, () => env.onSignal(signal, guard(callback))),
    spawn: spawning(env, holdings, guard),
    signalChild: (...given) => (holdings.isSealed ? SEALED : env.signalChild(...given)),
    signalProcess: (...given) => (holdings.isSealed ? SEALED : env.signalProcess(...given)),
    collectEvidence: (request) =>
      subscribed(holdings, (done) => {
        const ended = <Given extends unknown[]>(callback: (...given: Given) => void) =>
          guard((...given: Given) => {
            done();
            callback(...given);
          });
        return env.collectEvidence({
          ...request,
          onBegun: guard(request.onBegun),
          onDone: ended(request.onDone),
          onFailure: ended(request.onFailure),
        });
      }),
    openMemory: (pid) => {
      const gauge = env.openMemory(pid);
      const close = subscribed(holdings, () => () => gauge.close());
      return { ...gauge, close };
    },
    lockPidFile: (path, inherited) => {
      const attempt = env.lockPidFile(path, inherited);
      if (attempt.outcome === 'acquired') {
        holdings.descriptors.add(attempt.file.descriptor);
        holdings.pidFiles.set(attempt.file.descriptor, attempt.file);
      }
      return attempt;
    },
    openFence: (path) => {
      const descriptor = env.openFence(path);
      holdings.keepFence(descriptor, path);
      return descriptor;
    },
    ...sockets(env, holdings, guard),
    serveControl: serving(env, holdings, guard),
  };
};
