/**
 * What a whole state tells about the time before it: whoever begins to look sees where the bars began, and whoever
 * was not told for a while what has come and gone since.
 */
import type { JournalEntry } from '../../journal/entry.js';
import type { GenerationView } from './picture.js';
import { lifeOf } from './states.js';
import { beginSpan, workerAt } from './workers.js';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

const timeOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;

const adoptSupervisor = (generation: GenerationView, context: Fields, atMs: number): void => {
  const startedAtMs = timeOf(context.startedAtMs) ?? atMs;
  const isCharged = context.inCharge === true && context.promoted !== true;
  const last = generation.charge.at(-1);
  if (!isCharged && last?.toMs === null) last.toMs = atMs;
  if (isCharged && last !== undefined && last.toMs !== null)
    generation.charge.push({ fromMs: atMs, toMs: null });
  if (isCharged && last === undefined) {
    const lastReload = fieldsOf(context.lastReload);
    const isPromotion = lastReload.outcome === 'promoted' && lastReload.generation === generation.generation;
    const promotedAtMs = isPromotion ? Date.parse(String(lastReload.at)) : Number.NaN;
    generation.charge.push({
      fromMs: Number.isNaN(promotedAtMs) ? startedAtMs : promotedAtMs,
      toMs: null,
    });
    generation.fate = 'in charge';
  }
  for (const slot of Array.isArray(context.slots) ? context.slots.map(fieldsOf) : []) {
    const worker = workerAt(generation, `worker-${Number(slot.place)}`);
    worker.respawns = Math.max(worker.respawns, Number(slot.respawns) || 0);
    worker.spawnedAtMs ??= timeOf(slot.startedAtMs);
    if (typeof slot.memoryBytes === 'number') worker.memoryBytes = slot.memoryBytes;
    const exit = fieldsOf(slot.lastExit);
    const exitAtMs = timeOf(exit.atMs);
    if (worker.lastExit === null && exitAtMs !== null) {
      const { code, signal } = exit as { code: number | null; signal: string | null };
      worker.lastExit = { atMs: exitAtMs, pid: 0, code, signal };
    }
  }
};

const adoptWorker = (
  generation: GenerationView,
  entry: JournalEntry,
  context: Fields,
  atMs: number,
): void => {
  const worker = workerAt(generation, entry.actor);
  const process = fieldsOf(context.process);
  if (typeof context.slot === 'number') worker.slot = context.slot;
  const pid = timeOf(process.pid);
  if (pid !== null && pid !== worker.pid) worker.spawnedAtMs = timeOf(context.spawnedAtMs) ?? atMs;
  worker.pid = pid;
  worker.startTime = typeof process.startTime === 'string' ? process.startTime : null;
  worker.says = typeof context.says === 'string' ? context.says : '';
  if (worker.spans.length > 0 || worker.pid === null) return;
  const spawnedAtMs = timeOf(context.spawnedAtMs) ?? atMs;
  const readyAtMs = timeOf(context.readyAtMs);
  worker.spawnedAtMs = spawnedAtMs;
  const { slot } = worker;
  worker.spans.push({ kind: 'boot', fromMs: spawnedAtMs, toMs: readyAtMs, pid, slot });
  const life = lifeOf(entry.to);
  if (readyAtMs !== null && life !== null)
    worker.spans.push({ kind: life, fromMs: readyAtMs, toMs: null, pid, slot });
};

/** Alarms that were set before: when they fire was not recorded. Those that are not there any more have ended. */
const adoptAlarms = (generation: GenerationView, entry: JournalEntry, atMs: number): void => {
  const children = entry.snapshot?.children ?? {};
  for (const [key, { actor, id }] of generation.alarms)
    if (actor === entry.actor && children[id] === undefined) generation.alarms.delete(key);
  for (const [id, src] of Object.entries(children)) {
    const key = `${entry.actor} ${id}`;
    if (src !== 'alarm' || generation.alarms.has(key)) continue;
    const alarm = id.replace(/Alarm$/, '');
    generation.alarms.set(key, { actor: entry.actor, id, alarm, setAtMs: atMs, dueAtMs: null });
  }
};

/** Machines that the supervisor does not have any more: nobody has told how they ended. */
const endMachines = (generation: GenerationView, entry: JournalEntry, atMs: number): void => {
  for (const [actor, machine] of generation.machines) {
    if (actor === entry.actor || machine.status !== 'active') continue;
    if (entry.snapshot?.children[actor] !== undefined) continue;
    machine.status = 'stopped';
    for (const [key, alarm] of generation.alarms) if (alarm.actor === actor) generation.alarms.delete(key);
    const worker = generation.workers.get(actor);
    if (worker === undefined) continue;
    [worker.pid, worker.respawnAtMs, worker.state] = [null, null, 'gone'];
    beginSpan(worker, null, atMs);
  }
};

export const adoptSnapshot = (generation: GenerationView, entry: JournalEntry, atMs: number): void => {
  const context = fieldsOf(entry.snapshot?.context);
  if (entry.machine === 'supervisor') {
    endMachines(generation, entry, atMs);
    adoptSupervisor(generation, context, atMs);
  }
  if (entry.machine === 'worker') adoptWorker(generation, entry, context, atMs);
  adoptAlarms(generation, entry, atMs);
};
