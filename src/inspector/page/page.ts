/**
 * The page: keeps what it is told, and draws it again whenever something is new.
 */
import type { Status } from '../../../machines/status.js';
import { generationsOf } from '../view/picture.js';
import { Timeline } from '../view/timeline.js';
import { ChartPanel } from './chart-panel.js';
import { byId } from './element.js';
import { drawHeader } from './header.js';
import { drawLanes, drawLegend } from './lanes.js';
import { LogPanel } from './log-panel.js';
import { ReplayBar } from './replay-bar.js';
import { type Hello, type LinkState, openSource, order, type UsageByPid } from './source.js';
import { drawAlarms, drawWorkers } from './tables.js';

// The token has done its work: it stays neither in the address bar nor in the history.
if (location.search !== '') history.replaceState(null, '', '/');

/** Bars grow and clocks run: so often, and more rarely for those who want less motion. */
const TICK_MS = { usually: 200, calm: 1_000 } as const;
const NOTICE_MS = 8_000;

const timeline = new Timeline();
let hello: Hello | null = null;
let link: LinkState = { state: 'connecting', sinceMs: Date.now() };
let status: Status | null = null;
let usage: UsageByPid = {};
let notice = '';
let frame = 0;

const invalidate = (): void => {
  if (frame === 0) frame = requestAnimationFrame(draw);
};

const replay = new ReplayBar(timeline, invalidate);
const chart = new ChartPanel(invalidate);
const log = new LogPanel((entry) => replay.goTo(entry));
const windowSelect = byId<HTMLSelectElement>('window');

/** The moment that is shown: that of the last event, or now while somebody answers. */
const momentOf = (atMs: number): number => {
  if (!replay.isLive || hello?.mode === 'recording') return atMs;
  return link.state === 'connected' ? Math.max(atMs, Date.now()) : Math.max(atMs, link.sinceMs);
};

function draw(): void {
  frame = 0;
  const { count, isLive } = replay;
  const isRecording = hello?.mode === 'recording';
  const picture = timeline.at(count);
  const nowMs = momentOf(picture.atMs);
  const isNow = isLive && !isRecording && link.state === 'connected';
  drawHeader({ hello, link, status, picture, nowMs: Date.now(), isLive, notice });
  const wantedMs = Number(windowSelect.value);
  const firstMs = Date.parse(timeline.entries[0]?.time ?? new Date(nowMs).toISOString());
  const lengthMs = Math.max(1_000, wantedMs === 0 ? nowMs - firstMs : wantedMs);
  drawLanes(byId('lanes'), picture, { fromMs: nowMs - lengthMs, toMs: nowMs, isLive: isNow });
  const generation = chart.draw(picture);
  const kill = isNow && hello?.controls === true ? killWorker : null;
  drawWorkers(byId('workers'), generation, { nowMs, usage: isNow ? usage : null, kill });
  drawAlarms(
    byId('alarms'),
    generationsOf(picture).filter(({ endedMs }) => endedMs === null),
    nowMs,
  );
  log.draw(timeline.entries, count);
  replay.draw(isRecording);
}

const tell = (text: string): void => {
  notice = text;
  invalidate();
  setTimeout(() => {
    if (notice === text) notice = '';
    invalidate();
  }, NOTICE_MS);
};

const ask = async (what: string, path: string, button: HTMLButtonElement | null): Promise<void> => {
  if (button !== null) button.disabled = true;
  tell(`${what} …`);
  tell(`${what}: ${await order(path)}`);
  if (button !== null) button.disabled = false;
};

const killWorker = (pid: number): void => void ask(`Kill ${pid}`, `/control/kill?pid=${pid}`, null);

const reloadButton = byId<HTMLButtonElement>('reload');
const stopButton = byId<HTMLButtonElement>('stop');
reloadButton.addEventListener('click', () => void ask('Reload', '/control/reload', reloadButton));
stopButton.addEventListener('click', () => {
  if (confirm('Stop the daemon? Its workers finish what they do, and then nothing serves.'))
    void ask('Stop', '/control/stop', stopButton);
});
windowSelect.addEventListener('change', invalidate);
addEventListener('resize', invalidate);
document.addEventListener('visibilitychange', invalidate);

openSource({
  onHello: (said) => {
    hello = said;
    byId('controls').hidden = !said.controls;
    if (said.mode === 'recording') {
      link = { state: 'connected', sinceMs: Date.now() };
      windowSelect.value = '0';
    }
    invalidate();
  },
  onLink: (said) => {
    // It ends with the daemon: there is nothing new in that.
    if (said.state === 'lost' && link.state === 'ended' && hello?.untilEnd === true) return;
    link = said;
    invalidate();
  },
  onStatus: (said) => {
    status = said;
    invalidate();
  },
  onUsage: (said) => {
    usage = said;
  },
  onEntries: (entries) => {
    timeline.add(entries);
    invalidate();
  },
  onReset: () => {
    timeline.clear();
    invalidate();
  },
});

drawLegend(byId('legend'));
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const tick = (): void => {
  if (!document.hidden && replay.isLive && hello?.mode !== 'recording') invalidate();
  setTimeout(tick, calm.matches ? TICK_MS.calm : TICK_MS.usually);
};
tick();
invalidate();
