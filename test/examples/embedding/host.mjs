// A supervisor inside a program of one's own: what happens is told, and orders are given, without a command of tanist.
//
//   node test/examples/embedding/host.mjs server.mjs            lines on standard input: reload, scale 3, status, stop
//   INSPECTOR_URL=ws://127.0.0.1:8081 node …/host.mjs server.mjs   and every machine is shown to whoever listens there
//
//   INSPECTOR_URL   a WebSocket that takes what @statelyai/inspect sends: createWebSocketReceiver(), or yours
//   LISTEN          what the service listens on; 127.0.0.1:8080
//
// A reload starts this very program again. It comes to createSupervisor() as well, and is the next generation there.
import { createInterface } from 'node:readline';
import { createWebSocketInspector } from '@statelyai/inspect';
import { createSupervisor, TanistError } from 'tanist';

const { INSPECTOR_URL, LISTEN = '127.0.0.1:8080' } = process.env;
const [, , command] = process.argv;
const tell = (about, what) => console.log(JSON.stringify({ about, ...what }));

const inspector = INSPECTOR_URL === undefined ? undefined : createWebSocketInspector({ url: INSPECTOR_URL });
const supervisor = createSupervisor(
  { command, listen: LISTEN, workers: 2, name: 'embedded' },
  inspector === undefined ? {} : { inspect: inspector.inspect },
);

// The status whenever it has changed, and single events by their names.
supervisor.subscribe(({ state, generation, workers }) =>
  tell('status', {
    state,
    generation,
    workers: workers.map(({ slot, pid, state }) => ({ slot, pid, state })),
  }),
);
supervisor.on('worker.exited', ({ slot, pid, code, signal }) => tell('exit', { slot, pid, code, signal }));
supervisor.on('reload.refused', ({ outcome, reason, detail }) =>
  tell('refused', { outcome, reason, detail }),
);

const orders = {
  reload: async () => tell('reload', await supervisor.reload()),
  scale: async (workers) => tell('scale', await supervisor.scale(Number(workers))),
  status: () => tell('now', supervisor.status()),
  stop: () => supervisor.stop(),
};
const input = createInterface({ input: process.stdin });
input.on('line', async (line) => {
  const [order, argument] = line.split(' ');
  try {
    if (!Object.hasOwn(orders, order)) return tell('error', { message: `no such order: ${order}` });
    await orders[order](argument);
  } catch (error) {
    // Such as TANIST_STOPPING: nobody reloads what stops.
    if (!(error instanceof TanistError)) throw error;
    tell('error', { code: error.code, message: error.message });
  }
});

const failure = await supervisor.done;
tell('end', { failure });
inspector?.stop();
// Nothing of the supervisor keeps this process alive; standard input, and an inspector that nobody answered, would.
process.exit(failure === null ? 0 : 1);
