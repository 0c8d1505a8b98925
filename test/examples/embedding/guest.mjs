// A supervisor in a process that is not its own: a desktop application, a test runner, anything that has a life of its
// own and must not be copied, ended or deafened. tanist only looks after the workers here.
//
//   node test/examples/embedding/guest.mjs server.mjs     lines on standard input: renew, fail, quit
//
//   LISTEN      what the service listens on; 127.0.0.1:8080
//   ENV_FILE    variables for the workers alone; guest.env beside this file, which makes Electron's binary a Node
//
// What makes it a guest:
//   takeSignals: false      Ctrl-C and SIGTERM are the application's
//   takeExceptions: false   what nobody catches is the application's as well
//   noHotReload: true       a reload would start this application a second time: it is refused, whoever asks
// Workers are renewed one after the other instead: each is asked to leave, and its slot is filled from what is on
// the disk now.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createSupervisor } from 'tanist';

const { LISTEN = '127.0.0.1:8080', ENV_FILE = fileURLToPath(new URL('guest.env', import.meta.url)) } =
  process.env;
const [, , command] = process.argv;
const QUIT_LIMIT_MS = 10_000;

const supervisor = createSupervisor(
  {
    command,
    name: 'guest',
    listen: LISTEN,
    workers: 2,
    envFile: ENV_FILE,
    noHotReload: true,
    drainTimeoutMs: 5_000,
  },
  { takeSignals: false, takeExceptions: false },
);

/** Resolves when another process fills the slot. */
const refilled = (slot, pid) =>
  new Promise((resolve) => {
    const subscription = supervisor.on('worker.ready', (event) => {
      if (event.slot !== slot || event.pid === pid) return;
      subscription.unsubscribe();
      resolve();
    });
  });

const renew = async () => {
  for (const { slot, pid } of supervisor.status().workers) {
    // None: it is being filled anew already.
    if (pid === null) continue;
    const filled = refilled(slot, pid);
    process.kill(pid, 'SIGTERM');
    await filled;
  }
  console.log('renewed');
};

// The end of the service is not the end of the application, nor the other way round: this one waits, with a limit.
let isQuitting = false;
supervisor.done.then((failure) => {
  console.log(`the service has ended: ${failure?.message ?? 'in order'}`);
  if (isQuitting) process.exit(0);
});
const quit = () => {
  isQuitting = true;
  console.log('quitting');
  supervisor.stop();
  setTimeout(() => {
    supervisor.killAll();
    process.exit(1);
  }, QUIT_LIMIT_MS);
};

process.on('SIGTERM', quit);
process.on('uncaughtException', (error) => console.log(`the application goes on after: ${error.message}`));

const orders = {
  renew,
  quit,
  fail: () => {
    throw new Error('a defect of the application');
  },
};
createInterface({ input: process.stdin }).on('line', (order) => orders[order]?.());
