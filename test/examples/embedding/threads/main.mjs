// Workers that are threads of this process instead of processes: effects of one's own in place of tanist's.
//
//   node test/examples/embedding/threads/main.mjs
//   curl http://127.0.0.1:8080/          which thread answers
//   curl http://127.0.0.1:8080/crash     the thread throws, and its slot is filled again
//   kill %1                              every thread finishes, then all ends
//
//   LISTEN   what the service listens on; 127.0.0.1:8080
//
// Three effects are replaced, and the machines do not notice: they know workers by facts. What is lost with processes:
// a thread that runs out of memory, or a defect of a native module, ends all of them and the supervisor as well.
import { fileURLToPath } from 'node:url';
import { createSupervisor } from 'tanist';
import { threadEffects } from './effects.mjs';

const { LISTEN = '127.0.0.1:8080' } = process.env;
const program = fileURLToPath(new URL('service.mjs', import.meta.url));

const supervisor = createSupervisor(
  { command: program, name: 'threads', listen: LISTEN, workers: 2, drainTimeoutMs: 5_000 },
  { provide: threadEffects(program) },
);

const failure = await supervisor.done;
// At once: where the supervisor itself has failed, threads may be left.
process.exit(failure === null ? 0 : 1);
