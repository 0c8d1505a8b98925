/**
 * Asking the reporter inside a worker what the program does.
 */
import { LineSplitter } from '../../protocol/lines.js';
import { parseReporterLine, REPORT, REPORT_LINE_BYTES } from '../../protocol/reporter.js';
import type { Dispose, Stream, StreamHandlers } from '../env.js';

export type OpenStream = (descriptor: number, handlers: StreamHandlers) => Stream;

const NOTHING_RUNS = 'No JavaScript runs: the event loop waits, or a call to the system does.';

const pretty = (json: string): string => {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    // What came is better than nothing.
    return json;
  }
};

/**
 * Hands over each answer as a file, as soon as it is there.
 *
 * @param onEnd once, after the last answer or when the worker is gone.
 */
export const askReporter = (
  openStream: OpenStream,
  descriptor: number,
  onFile: (name: string, text: string) => void,
  onEnd: () => void,
): Dispose => {
  const splitter = new LineSplitter(REPORT_LINE_BYTES);
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    stream.close();
    onEnd();
  };
  const hear = (text: string) => {
    const line = parseReporterLine(text);
    if (line === null) return;
    if ('stack' in line) onFile('stack.txt', line.stack.length === 0 ? NOTHING_RUNS : line.stack.join('\n'));
    else if ('report' in line) onFile('report.json', pretty(line.report));
    else onFile('report-problem.txt', line.problem);
    if (!('stack' in line)) end();
  };
  const stream = openStream(descriptor, {
    onData: (chunk) => {
      for (const fact of splitter.push(chunk)) if (fact.kind === 'line') hear(fact.text);
    },
    onEnd: end,
  });
  stream.write(REPORT);
  return () => {
    isOver = true;
    stream.close();
  };
};
