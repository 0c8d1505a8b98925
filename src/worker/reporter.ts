/**
 * The reporter: a thread inside a worker that sleeps until it is asked what the program does.
 *
 * It stops the program where it is, as a debugger does, a loop without end included. Only a program that is in the
 * middle of a call to the system cannot be stopped; the kernel tells about that.
 */
import { Session } from 'node:inspector';
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { type ReporterLine, reporterLine } from '../protocol/reporter.js';

/** A program that waits runs no JavaScript in which it could be stopped: it is given some. */
const NUDGE_AFTER_MS = 50;

/**
 * What is run where the program stands. Looking up names would take long; the environment, which is told of every
 * thread again, is nobody's business.
 */
const EXPRESSION = `(() => {
  const { report } = globalThis.process;
  report.excludeNetwork = true;
  return JSON.stringify(report.getReport(), (key, value) => (key === 'environmentVariables' ? undefined : value));
})()`;

interface Frame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: {
    readonly scriptId: string;
    readonly lineNumber: number;
    readonly columnNumber?: number;
  };
}

/** Files by the numbers that the inspector gives them. */
type Scripts = ReadonlyMap<string, string>;

const fileOf = (scripts: Scripts, { location }: Frame): string => scripts.get(location.scriptId) ?? '';

const frameText = (scripts: Scripts, frame: Frame): string => {
  const { functionName, location } = frame;
  const place = `${fileOf(scripts, frame)}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`;
  return `${functionName === '' ? '(anonymous)' : functionName} (${place})`;
};

/** Without what was only given to it to run, which has no file: it may have come in the middle of a loop. */
const withoutNudge = (scripts: Scripts, frames: readonly Frame[]): readonly Frame[] =>
  frames[0] !== undefined && fileOf(scripts, frames[0]) === '' ? frames.slice(1) : frames;

const tell = (say: (line: ReporterLine) => void): void => {
  const session = new Session();
  session.connectToMainThread();
  const scripts = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params.url));
  session.once('Debugger.paused', ({ params }) => {
    const frames = params.callFrames as readonly Frame[];
    say({ stack: withoutNudge(scripts, frames).map((frame) => frameText(scripts, frame)) });
    const callFrameId = frames[0]?.callFrameId ?? '';
    session.post(
      'Debugger.evaluateOnCallFrame',
      { callFrameId, expression: EXPRESSION, returnByValue: true },
      (error, answer) => {
        const value: unknown = answer?.result?.value;
        if (typeof value === 'string') say({ report: value });
        else say({ problem: error?.message ?? answer?.exceptionDetails?.text ?? 'no report was made' });
      },
    );
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
  setTimeout(() => session.post('Runtime.evaluate', { expression: '0' }), NUDGE_AFTER_MS);
};

const { descriptor } = workerData as { readonly descriptor: number };
const socket = new Socket({ fd: descriptor, readable: true, writable: true });
socket.on('error', () => {
  // The supervisor is gone: the worker sees that on its channel.
});
socket.once('data', () => {
  try {
    tell((line) => socket.write(reporterLine(line)));
  } catch (error) {
    socket.write(reporterLine({ problem: String(error) }));
  }
});
