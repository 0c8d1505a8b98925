/**
 * The words between a supervisor and the reporter inside a worker: asked once, it answers in lines of JSON.
 */

/** Said by the supervisor: tell what the program does now. It may stand still from then on. */
export const REPORT = 'report\n';

/** Longest line, newline included: a report of Node's with some thousand handles. */
export const REPORT_LINE_BYTES = 4_194_304;

/** One answer. The last is the report, or why there is none. */
export type ReporterLine =
  /** The JavaScript that runs, innermost first; empty where none runs. */
  | { readonly stack: readonly string[] }
  /** Node's diagnostic report as JSON, without the environment. */
  | { readonly report: string }
  | { readonly problem: string };

export const reporterLine = (line: ReporterLine): string => `${JSON.stringify(line)}\n`;

/** Null for a line that is none of these. */
export const parseReporterLine = (text: string): ReporterLine | null => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if ('stack' in value && Array.isArray(value.stack) && value.stack.every((one) => typeof one === 'string'))
    return { stack: value.stack };
  if ('report' in value && typeof value.report === 'string') return { report: value.report };
  if ('problem' in value && typeof value.problem === 'string') return { problem: value.problem };
  return null;
};
