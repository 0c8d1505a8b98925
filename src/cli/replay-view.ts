/**
 * What came out of a replay, for people and for programs.
 */
import { type Status, statusOf } from '../../machines/status.js';
import type { SupervisorContext } from '../../machines/supervisor.js';
import { type JournalEntry, stateText } from '../journal/entry.js';
import type { Difference, Recording, Replay } from '../journal/replay.js';
import { VERSION } from '../version.js';
import { printable } from '../words/terminal.js';

/** A replay that stopped at one event. */
export interface Moment {
  readonly run: Replay;
  readonly at: JournalEntry;
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;
const events = (number: number): string => count(number, 'event', 'events');

/** Long values are cut: a difference is to be read. */
const SHOWN_CHARS = 400;
const shown = (value: unknown): string => {
  const text = printable(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
};

const whoText = ({ generation, pid }: Recording): string => `generation ${generation}, pid ${pid}`;

const recordingLines = (recording: Recording): readonly string[] => {
  const { tanist, firstSeq, lastSeq, events: replayed, unknown, skipped, gaps, error } = recording;
  const lines = [
    `  ${whoText(recording)}, ${tanist === null ? 'of an unknown version' : `tanist ${printable(tanist)}`}: seq ${firstSeq} to ${lastSeq}, ${events(replayed)}`,
  ];
  for (const { after, before } of gaps)
    lines.push(
      `    between seq ${after} and ${before} lines are missing: replayed from the next snapshot on`,
    );
  if (unknown > 0)
    lines.push(`    ${events(unknown)} not replayed: neither a beginning nor a snapshot is before them`);
  if (skipped > 0) lines.push(`    ${events(skipped)} not replayed: they follow a difference`);
  if (error !== null) lines.push(`    it ended in an error: ${shown(error)}`);
  return lines;
};

const differenceText = ({ seq, generation, actor, event, what, expected, found }: Difference): string =>
  [
    `  seq ${seq}, generation ${generation}, ${printable(actor)}, ${printable(event)}: another ${what}`,
    `    expected ${shown(expected)}`,
    `    found    ${shown(found)}`,
  ].join('\n');

const verdictText = ({ differences, recordings }: Replay): string => {
  const replayed = recordings.reduce((sum, recording) => sum + recording.events, 0);
  const of = `${events(replayed)} of ${count(recordings.length, 'supervisor', 'supervisors')} replayed`;
  return differences.length === 0
    ? `${of}: the same`
    : `${of}: ${count(differences.length, 'difference', 'differences')}`;
};

export const reportText = (run: Replay, cut: readonly string[]): string => {
  const lines = [verdictText(run), ...run.recordings.flatMap(recordingLines)];
  for (const place of cut) lines.push(`  cut off: ${printable(place)}`);
  if (run.differences.length > 0) lines.push('', ...run.differences.map(differenceText));
  const others = run.recordings.filter(({ tanist }) => tanist !== null && tanist !== VERSION);
  if (run.differences.length > 0 && others.length > 0)
    lines.push('', `This is tanist ${VERSION}, and decides otherwise where it was changed since.`);
  return `${lines.join('\n')}\n`;
};

const recordingJson = ({ machines: _, ...recording }: Recording) => recording;

export const reportJson = ({ recordings, differences }: Replay, cut: readonly string[]) => ({
  same: differences.length === 0,
  tanist: VERSION,
  recordings: recordings.map(recordingJson),
  differences,
  cut,
});

interface Standing {
  readonly generation: number;
  readonly pid: number;
  /** Null where its supervisor has ended, or is not known. */
  readonly status: Status | null;
  readonly states: Readonly<Record<string, string>>;
}

const standingOf = ({ generation, pid, machines }: Recording): Standing => {
  const states: Record<string, string> = {};
  for (const [actor, { snapshot }] of machines)
    states[actor] = snapshot === null ? 'unknown' : stateText(snapshot.value);
  const own = machines.get('supervisor')?.snapshot ?? null;
  const status = own === null ? null : statusOf(own as { value: unknown; context: SupervisorContext });
  return { generation, pid, status, states };
};

const momentOf = ({ run }: Moment): readonly Standing[] =>
  run.recordings.map(standingOf).filter(({ states }) => Object.keys(states).length > 0);

export const momentJson = (moment: Moment) => {
  const { seq, time, generation, pid, actor, event } = moment.at;
  const supervisors = momentOf(moment);
  return {
    at: { seq, time, generation, pid, actor, event: event.type },
    supervisors,
    differences: moment.run.differences,
  };
};

const standingLines = ({ generation, pid, status, states }: Standing): readonly string[] => {
  const width = Math.max(...Object.keys(states).map((actor) => actor.length));
  const workers = status?.workers ?? [];
  return [
    `generation ${generation}, pid ${pid}: ${status?.state ?? 'ended'}`,
    ...Object.entries(states).map(([actor, state]) => `  ${printable(actor).padEnd(width)}  ${state}`),
    ...workers.map(
      ({ slot, pid: worker, state, respawns }) =>
        `  slot ${slot}: ${state}, ${worker === null ? 'no process' : `pid ${worker}`}, ${count(respawns, 'respawn', 'respawns')}`,
    ),
  ];
};

export const momentText = (moment: Moment): string => {
  const { seq, time, actor, event } = moment.at;
  const { differences } = moment.run;
  const lines = [
    `after seq ${seq}, ${printable(event.type)} at ${printable(actor)}, ${time}`,
    ...momentOf(moment).flatMap(standingLines),
  ];
  if (differences.length > 0) lines.push('', ...differences.map(differenceText));
  return `${lines.join('\n')}\n`;
};
