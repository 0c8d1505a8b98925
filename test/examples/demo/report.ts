/**
 * The final tables, and whether all went as it should.
 */
import Table from 'cli-table3';
import type { Sample } from '../../load/plan.js';
import { outside, type Summary, summarise, within } from '../../load/summary.js';
import type { ReloadRow, ScenarioResult } from './scenario.js';

/** No colours, and no line between rows. */
const STYLE = {
  style: { head: [], border: [] },
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
};

const ms = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(value < 100 ? 1 : 0));

const requestRow = (mode: string, when: string, samples: readonly Sample[]): string[] => {
  const summary: Summary = summarise(samples);
  const { refused, reset, timeout, status, other } = summary.byFailure;
  return [
    ...[mode, when, String(summary.requests)],
    ...[refused, reset, timeout, status, other, summary.lost].map(String),
    ...[summary.p50Ms, summary.p99Ms, summary.maxMs].map(ms),
  ];
};

const requestsTable = (results: readonly ScenarioResult[]): string => {
  const table = new Table({
    head: [
      ...['mode', 'when', 'requests', 'refused', 'reset', 'timeout', 'status', 'other', 'lost*'],
      ...['p50 ms', 'p99 ms', 'max ms'],
    ],
    colAligns: ['left', 'left', ...Array.from({ length: 10 }, () => 'right' as const)],
    ...STYLE,
  });
  for (const { mode, samples, reloads, deaths } of results) {
    table.push(
      requestRow(mode, 'during reloads', within(samples, reloads)),
      requestRow(mode, 'after the kill', within(samples, deaths)),
      requestRow(mode, 'otherwise', outside(samples, [...reloads, ...deaths])),
    );
  }
  table.push(
    requestRow(
      'both',
      'all',
      results.flatMap(({ samples }) => samples),
    ),
  );
  return table.toString();
};

const isAsExpected = (row: ReloadRow): boolean =>
  row.verdict === row.expected && row.serving === row.shouldServe;

const reloadsTable = (rows: readonly ReloadRow[]): string => {
  const table = new Table({
    head: ['mode', 'release', 'verdict', 'after ms', 'then serves', ''],
    colAligns: ['left', 'left', 'left', 'right', 'left', 'left'],
    ...STYLE,
  });
  for (const row of rows) {
    const remark = isAsExpected(row) ? 'as expected' : `EXPECTED ${row.expected}, ${row.shouldServe}`;
    table.push([row.mode, row.release, row.verdict, row.durationMs.toFixed(0), row.serving, remark]);
  }
  return table.toString();
};

/** What went wrong, a line each; nothing if nothing did. */
const complaints = (results: readonly ScenarioResult[]): readonly string[] => {
  const { failed, requests } = summarise(results.flatMap(({ samples }) => samples));
  const details = new Map<string, number>();
  for (const { outcome, detail } of results.flatMap(({ samples }) => samples)) {
    if (outcome === 'ok' || outcome === 'lost') continue;
    details.set(`${outcome}: ${detail}`, (details.get(`${outcome}: ${detail}`) ?? 0) + 1);
  }
  const wrong = results.flatMap(({ rows }) => rows).filter((row) => !isAsExpected(row)).length;
  return [
    ...(requests === 0 ? ['no request was sent'] : []),
    ...(failed === 0 ? [] : [`${failed} requests failed`]),
    ...[...details].map(([detail, count]) => `  ${count} × ${detail}`),
    ...(wrong === 0 ? [] : [`${wrong} reloads did not end as expected`]),
  ];
};

/** @returns the text, and whether nothing failed and every verdict was the expected one. */
export const report = (
  results: readonly ScenarioResult[],
): { readonly text: string; readonly good: boolean } => {
  const wrong = complaints(results);
  const { requests } = summarise(results.flatMap(({ samples }) => samples));
  const rows = results.flatMap((result) => result.rows);
  const verdict =
    wrong.length === 0
      ? `${requests} requests, none failed; all ${rows.length} reloads ended as they should.`
      : `NOT WELL:\n${wrong.join('\n')}`;
  return {
    good: wrong.length === 0,
    text: [
      requestsTable(results),
      '* on a connection to the worker at the moment it was killed: nobody can save these.',
      '',
      reloadsTable(rows),
      '',
      verdict,
      '',
    ].join('\n'),
  };
};
