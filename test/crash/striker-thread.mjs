/**
 * The thread of a Striker (striker.ts): it waits for whoever comes to the step, strikes the victim, and lets go.
 *
 * A thread of its own: that of the tests sleeps for seconds on a busy machine, and whoever stands at a step for so
 * long is taken for one that hangs. What it has to know stands in files.
 */
import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const { directory, step, strike, victim, predecessor, oldWorkers, log, activity, bootGate, limitMs } =
  workerData;
const LOOK_EVERY_MS = 1;

let isCancelled = false;
parentPort.once('message', () => {
  isCancelled = true;
});

const until = async (what, look) => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await pause(LOOK_EVERY_MS);
  }
};

const linesOf = (file) => (existsSync(file) ? readFileSync(file, 'latin1').split('\n').slice(0, -1) : []);

/** The first line of the log of an event; workers write there, too. */
const logged = (event, isIt) =>
  linesOf(log)
    .flatMap((text) => {
      try {
        return [JSON.parse(text)];
      } catch {
        // A worker's own words, or a line that was being written.
        return [];
      }
    })
    .find((line) => line?.event === event && isIt(line));

/** As test/fixtures/active.pl writes them. */
const marks = () =>
  linesOf(activity).map((line) => {
    const [supervisor, generation, slot, pid] = line.split(' ').map(Number);
    return { supervisor, generation, slot, pid };
  });

/** Nothing of a process is left that could delay the word of its end: its first thread is a zombie before the others are gone. */
const isDead = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] === 'Z' && readdirSync(`/proc/${pid}/task`).length === 1;
  } catch {
    return !existsSync(`/proc/${pid}`);
  }
};

const isStopped = (pid) => / T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

const pidOf = async (held) => {
  switch (victim.role) {
    case 'predecessor':
      return predecessor;
    case 'successor':
      if (held !== predecessor) return held;
      return (await until('the successor', () => logged('reload.started', () => true))).pid;
    case 'old':
      return oldWorkers[victim.slot];
    default: {
      const isIt = ({ generation, slot }) => generation === 2 && slot === victim.slot;
      return (await until(`a worker of generation 2 in slot ${victim.slot}`, () => marks().find(isIt))).pid;
    }
  }
};

const openBoot = () => writeFileSync(bootGate, '');

const isHeld = (name) => name.startsWith(`${step}.`) && /\.\d+$/.test(name);
const name = await until(
  `a process at the step ${step}`,
  () => isCancelled || readdirSync(directory).find(isHeld),
);
if (name === true) parentPort.postMessage(null);
else {
  const held = Number(name.slice(step.length + 1));
  const pid = await pidOf(held);
  if (!(pid > 0)) throw new Error(`there is no ${victim.role} worker in slot ${victim.slot}`);
  process.kill(pid, strike);
  await until(`${pid} to be struck`, () => (strike === 'SIGSTOP' ? isStopped(pid) : isDead(pid)));
  // A supervisor that does not stand at the step learns of its worker's end before the other one goes on.
  if (strike === 'SIGKILL' && victim.slot > 0) {
    const supervisor = marks().find((mark) => mark.pid === pid)?.supervisor;
    if (supervisor !== held)
      await until(`the word of the end of ${pid}`, () => logged('worker.exited', (line) => line.pid === pid));
  }
  openBoot();
  unlinkSync(`${directory}/${name}`);
  parentPort.postMessage(pid);
}
