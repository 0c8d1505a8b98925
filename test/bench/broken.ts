/**
 * What a broken new version costs: nothing, and the truth is told at once.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ReloadReason, ReloadVerdict } from '../../machines/status.js';
import { Load } from '../load/load.js';
import { isFailure, monotonicMs } from '../load/plan.js';
import { median } from '../load/summary.js';
import { root, type World } from '../process/harness.js';
import { MeasuredDaemon } from './daemon.js';
import { type Effort, type Figure, spread } from './figure.js';

const BROKEN = `${root}test/bench/broken.mjs`;
const TIME_LIMIT_MS = 1_000;
const START_TIMEOUT_MS = 5_000;
const WARM_UP_MS = 1_000;
/** Each of them takes as long as the probation of a good reload, or nearly. */
const MOST_REPETITIONS = 3;

interface Kind {
  readonly what: string;
  readonly version: string;
  readonly outcome: ReloadVerdict['outcome'];
  readonly reason: ReloadReason;
  /** How long after what the program notes it can be known. Default 0. */
  readonly limitMs?: number;
}

const KINDS: readonly Kind[] = [
  { what: 'crashes at once', version: 'crashes-at-once', outcome: 'refused', reason: 'worker-exited' },
  { what: 'crashes after 0.5 s', version: 'crashes-500', outcome: 'rolled-back', reason: 'worker-exited' },
  { what: 'crashes after 1.5 s', version: 'crashes-1500', outcome: 'rolled-back', reason: 'worker-exited' },
  {
    what: `hangs (start timeout ${START_TIMEOUT_MS / 1_000} s)`,
    version: 'hangs',
    outcome: 'refused',
    reason: 'start-timeout',
    limitMs: START_TIMEOUT_MS,
  },
  { what: 'answers 500', version: 'answers-500', outcome: 'rolled-back', reason: 'health-failed' },
  { what: 'cannot be executed', version: 'exec', outcome: 'refused', reason: 'spawn-failed' },
  { what: 'has an invalid config', version: 'config', outcome: 'refused', reason: 'config-invalid' },
];

interface Site {
  readonly service: MeasuredDaemon;
  readonly program: string;
  readonly config: string;
}

/** Breaks the next release, and returns how it is put right again. */
const sabotage = ({ service, program, config }: Site, { version }: Kind): (() => void) => {
  if (version === 'exec') {
    chmodSync(program, 0o644);
    return () => chmodSync(program, 0o755);
  }
  if (version === 'config') {
    writeFileSync(config, '{"drainTimeoutMs":-1}');
    return () => writeFileSync(config, '{}');
  }
  service.releases.deploy(version, BROKEN);
  rmSync(join(service.releases.current, 'FAULT'), { force: true });
  return () => undefined;
};

/** When it showed: what the program noted last, or the command itself where nothing was started. */
const faultAtMs = ({ service }: Site, { version, limitMs = 0 }: Kind, commandAtMs: number): number => {
  const file = join(service.releases.current, 'FAULT');
  if (version === 'exec' || version === 'config' || !existsSync(file)) return commandAtMs;
  const times = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  return (version === 'hangs' ? Math.min(...times) : Math.max(...times)) + limitMs;
};

/** From the moment at which the fault shows to the answer of the command. */
const timeToVerdict = async (site: Site, kind: Kind): Promise<number> => {
  const repair = sabotage(site, kind);
  const commandAtMs = monotonicMs();
  const { reason, answeredAtMs } = await site.service.refusal(kind.outcome);
  repair();
  if (reason !== kind.reason) throw new Error(`${kind.what}: expected ${kind.reason}, was told ${reason}`);
  return answeredAtMs - faultAtMs(site, kind, commandAtMs);
};

export const measureBroken = async (world: World, { repetitions }: Effort): Promise<readonly Figure[]> => {
  const [program, config] = [world.path('serve'), world.path('serve.json')];
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" server.mjs\n`, { mode: 0o755 });
  writeFileSync(config, '{}');
  const service = new MeasuredDaemon(world, 'broken', [
    ...['--listen', '127.0.0.1:0', '--workers', '2', '--config', config],
    ...['--probation', '3s', '--health', 'http=/health', '--start-timeout', `${START_TIMEOUT_MS}ms`],
  ]);
  service.launch([program]);
  const { listeners, workers } = await service.daemon.running();
  const load = new Load(listeners[0]?.address ?? '', world.env);
  await pause(WARM_UP_MS);
  const figures: Figure[] = [];
  let from = monotonicMs();
  const windows: { readonly what: string; readonly fromMs: number; readonly toMs: number }[] = [];
  for (const kind of KINDS) {
    const times: number[] = [];
    for (let turn = 0; turn < Math.min(repetitions, MOST_REPETITIONS); turn += 1)
      times.push(await timeToVerdict({ service, program, config }, kind));
    const toMs = monotonicMs();
    windows.push({ what: kind.what, fromMs: from, toMs });
    from = toMs;
    figures.push({
      what: `a new version that ${kind.what}: fault → ${kind.outcome}`,
      target: `≤ ${TIME_LIMIT_MS} ms`,
      measured: spread(times),
      floor: kind.reason,
      missed: median(times) > TIME_LIMIT_MS,
    });
  }
  const samples = await load.stop();
  const after = await service.daemon.running();
  const same = after.workers.every(({ pid }, index) => pid === workers[index]?.pid);
  await service.stop();
  const lost = windows.map(({ what, fromMs, toMs }) => ({
    what,
    count: samples.filter((one) => isFailure(one.outcome) && one.dueAtMs >= fromMs && one.dueAtMs < toMs)
      .length,
  }));
  const failed = samples.filter(({ outcome }) => isFailure(outcome)).length;
  const where = lost.filter(({ count }) => count > 0).map(({ what, count }) => `${count} where it ${what}`);
  return [
    {
      what: 'requests lost by broken new versions, all of them',
      target: '0',
      measured: [`${failed} of ${samples.length}`, ...where].join(', '),
      floor: '',
      missed: failed > 0,
    },
    {
      what: 'the workers of before serve on',
      target: 'the same',
      measured: same ? 'the same' : 'others',
      floor: '',
      missed: !same,
    },
    ...figures,
  ];
};
