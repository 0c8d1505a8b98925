import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { view } from '../../src/inspector/view/fold.js';
import { generationsOf } from '../../src/inspector/view/picture.js';
import { Timeline } from '../../src/inspector/view/timeline.js';
import { readJournal } from '../../src/os/journal-reader.js';
import { Generations, workerPid } from '../process/generations.js';
import { inspect } from '../process/inspectors.js';
import { findChromium, launch } from './chromium.js';
import { contrastsOf } from './contrast.js';

const chromium = findChromium();
if ('missing' in chromium) console.warn(`the page is not tested in a browser: ${chromium.missing}`);

/** Screenshots, to be looked at. */
const pictures = process.env.TANIST_PICTURES ?? mkdtempSync(join(tmpdir(), 'tanist-pictures-'));

let browser: Browser;
beforeAll(async () => {
  if (!('path' in chromium)) return;
  mkdirSync(pictures, { recursive: true });
  browser = await launch(chromium.path);
}, 120_000);
afterAll(() => browser?.close());

const WAIT = { timeout: 30_000 };

interface View {
  readonly page: Page;
  /** What the page complained of. */
  readonly complaints: string[];
}

const open = async (url: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<View> => {
  const context = await browser.newContext({ viewport: { width: 1_440, height: 1_000 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  await page.waitForSelector('[data-lane]', WAIT);
  return { page, complaints };
};

const lit = (page: Page, state: string) => page.waitForSelector(`#chart [data-state="${state}"].leaf`, WAIT);
const tab = (page: Page, actor: string) => page.click(`#tab-${actor}`, WAIT);

/** Bars of a kind in the lane of a generation. */
const bars = (generation: number, kind: string): string =>
  `#lanes [data-lane="${generation}"] .bar.${kind}[data-generation="${generation}"]`;

const started = async (how: { readonly journal: boolean; readonly options?: readonly string[] }) => {
  const world = new Generations();
  onTestFinished(() => world.dispose());
  const env = how.journal ? {} : { TANIST_JOURNAL: '' };
  const start = await world.started({ env, options: ['--workers', '2', ...(how.options ?? [])] });
  return { world, ...start };
};

const moveTo = (page: Page, count: number) =>
  page.evaluate(`{
    const slider = document.getElementById('slider');
    slider.value = '${count}';
    slider.dispatchEvent(new Event('input'));
  }`);

describe.skipIf('missing' in chromium)('the page in a browser', () => {
  it('draws the machine, and follows a daemon through a crash, a good reload and a refused one', async () => {
    const { world, daemon, status } = await started({ journal: true });
    const { url } = await inspect(world);
    const { page, complaints } = await open(url);
    await lit(page, 'running');
    expect(page.url()).not.toContain('token');
    expect(await page.title()).toBe('running · service');
    await tab(page, 'worker-1');
    await lit(page, 'alive.living.ready.serving.trusted');

    process.kill(workerPid(status), 'SIGKILL');
    await page.waitForSelector(`#lanes [data-lane="1"] [data-exit="${workerPid(status)}"]`, WAIT);
    await page.waitForSelector('#workers [data-worker="worker-1"] td:nth-child(5):text-is("1")', WAIT);
    await daemon.running();
    await lit(page, 'alive.living.ready.serving.trusted');
    await page.waitForSelector('#chart .arrow.taken', WAIT);

    await tab(page, 'supervisor');
    expect((await world.reload()).status).toBe(200);
    await daemon.settled(2);
    await page.waitForSelector(bars(2, 'charge'), WAIT);
    await page.waitForSelector(bars(2, 'serving'), WAIT);
    await page.waitForSelector(bars(1, 'draining'), WAIT);
    await lit(page, 'running');
    await page.waitForSelector('#facts dd:text-is("2")', WAIT);

    world.release({ boot: 'crash' });
    expect((await world.reload()).status).toBe(409);
    await page.waitForSelector('#lanes [data-lane="3"] .why', WAIT);
    expect(await page.textContent('#lanes [data-lane="3"] .why')).toContain('worker-exited');
    // It may be killed before it has written how its worker ended: that it booted is sure.
    await page.waitForSelector(bars(3, 'boot'), WAIT);
    await lit(page, 'running');
    await page.waitForSelector('#chart .arrow.failure.taken', WAIT);
    await page.screenshot({ path: join(pictures, 'light.png') });
    expect(complaints).toEqual([]);
  });

  it('shows standbys and a generation that is rolled back, in colours that can be told apart', async () => {
    const options = ['--standby', '1', '--respawn-delay', '2s', '--probation', '20s'];
    const { world, daemon, status } = await started({ journal: true, options });
    const { url } = await inspect(world, '--inspect-control');
    const { page } = await open(url);
    const standbys = '#workers [data-worker]:has(td:first-child:text-is("standby"))';
    await page.waitForSelector(`${standbys} .dot.ready`, WAIT);
    const spare = (await page.textContent(`${standbys} td:nth-child(3)`)) ?? '';
    await page.waitForSelector(`${standbys} td:nth-child(7):has-text("MiB")`, WAIT);
    await page.waitForSelector(`#lanes [data-lane="1"] .slot:text-is("standby")`, WAIT);
    // It takes the slot of one that dies, in the table too, and another is booted.
    process.kill(workerPid(status), 'SIGKILL');
    await page.waitForSelector(
      `#workers [data-worker]:has(td:first-child:text-is("1")):has(td:nth-child(3):text-is("${spare}")) .dot.serving`,
      WAIT,
    );
    await page.waitForSelector(`${standbys} .dot.ready`, WAIT);
    // The new version is on probation, and one of its workers dies.
    const reload = world.reload();
    await page.waitForSelector(bars(2, 'probation'), WAIT);
    process.kill((await world.step('serving', 2)).pid, 'SIGKILL');
    expect((await reload).verdict.outcome).toBe('rolled-back');
    await page.waitForSelector('#lanes [data-lane="2"].rolled-back', WAIT);
    const why = '#lanes [data-lane="2"] .why';
    expect(await page.textContent(why)).toMatch(/^rolled back · worker-exited/);
    expect(await page.textContent('#lanes [data-lane="2"] .generation-pid')).toContain('rolled back');
    await daemon.running();
    await page.click('#chart-whole');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const actor of ['supervisor', 'worker-1']) {
        await tab(page, actor);
        await page.waitForSelector(`#tab-${actor}[aria-selected="true"]`, WAIT);
        const { texts, marks, faults } = await contrastsOf(page);
        expect({ colorScheme, actor, faults }).toEqual({ colorScheme, actor, faults: [] });
        expect(texts).toBeGreaterThan(100);
        expect(marks).toBeGreaterThan(60);
      }
      await page.screenshot({ path: join(pictures, `rolled-back-${colorScheme}.png`) });
    }
    // What is small in a chart is so in its own letters, not in those of an event.
    const [small, usual] = await page.evaluate<readonly string[]>(
      `['.detail', '.name'].map((name) => getComputedStyle(document.querySelector('#chart text' + name)).fontFamily)`,
    );
    expect(small).toBe(usual);
  });

  it('without a journal, reconnects across a reload, and shows who is gone and who is back', async () => {
    const { world, daemon } = await started({ journal: false });
    const { url } = await inspect(world);
    const { page } = await open(url);
    await lit(page, 'running');
    expect((await world.reload()).status).toBe(200);
    await daemon.settled(2);
    await page.waitForSelector(bars(2, 'charge'), WAIT);
    await page.waitForSelector('#workers [data-worker="worker-2"] .dot.serving', WAIT);
    expect((await world.tanist('stop')).status).toBe(0);
    await page.waitForSelector('body[data-link="ended"]', WAIT);
    expect(await page.textContent('#banner')).toContain('was stopped');
    await page.screenshot({ path: join(pictures, 'ended.png') });
    const again = await world.started({ env: { TANIST_JOURNAL: '' } });
    await page.waitForSelector('body[data-link="connected"]', WAIT);
    process.kill(again.status.pid, 'SIGKILL');
    await page.waitForSelector('body[data-link="disconnected"]', WAIT);
    expect(await page.textContent('#banner')).toContain('has not answered since');
  });

  it('shows a recording: the slider brings back every state, and keys do all that a mouse does', async () => {
    const { world, daemon, status } = await started({ journal: true });
    process.kill(workerPid(status), 'SIGKILL');
    await daemon.status('another worker', ({ workers }) => workers[0]?.respawns === 1);
    await daemon.running();
    expect((await world.reload()).status).toBe(200);
    await daemon.settled(2);
    expect((await world.tanist('stop')).status).toBe(0);
    await world.empty();
    const { url } = await inspect(world, '--journal', world.journalFile);
    const { page, complaints } = await open(url, { colorScheme: 'dark' });
    const count = Number(await page.getAttribute('#slider', 'max'));
    expect(count).toBeGreaterThan(60);

    // At every moment the chart shows what is recorded of the first generation's supervisor.
    const timeline = new Timeline();
    timeline.add([...readJournal(world.journalFile)].flatMap(({ entry }) => entry ?? []));
    expect(timeline.entries).toHaveLength(count);
    await page.selectOption('#generation', { index: 1 });
    const seen = new Set<string>();
    for (const part of [0.04, 0.2, 0.35, 0.5, 0.65, 0.9]) {
      const moment = Math.round(count * part);
      await moveTo(page, moment);
      const [first] = generationsOf(view(timeline.entries, moment));
      const state = first?.machines.get('supervisor')?.state ?? '';
      await page.waitForSelector(`#chart-words:has-text("${state}: ")`, WAIT);
      expect(await page.getAttribute('#chart .state.leaf', 'data-state')).toBe(state);
      seen.add(state);
    }
    expect(seen.size).toBeGreaterThan(3);
    await page.selectOption('#generation', { index: 0 });
    // In the middle of the crash there is an alarm, and no process.
    await page.fill('#filter', 'worker.exited SIGKILL backoff');
    await page.waitForSelector('#count:text-matches("^1 of")', WAIT);
    await page.focus('#log');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#alarms [data-alarm="backoff"]', WAIT);
    await page.waitForSelector('#workers [data-worker="worker-1"] .dot.backoff', WAIT);
    await page.focus('#tab-supervisor');
    await page.keyboard.press('End');
    await page.waitForSelector('#tab-worker-2[aria-selected="true"]:focus', WAIT);
    await page.focus('#slider');
    const before = Number(await page.inputValue('#slider'));
    await page.keyboard.press('ArrowRight');
    expect(Number(await page.inputValue('#slider'))).toBe(before + 1);
    await page.waitForSelector(`#slider[aria-valuetext^="event ${before + 1} of"]`, WAIT);
    await page.screenshot({ path: join(pictures, 'dark-replay.png') });
    await page.click('#live');
    await page.waitForSelector('body[data-moment="live"]', WAIT);
    expect(complaints).toEqual([]);
  });

  it('fits a narrow window, and gives buttons only where that was asked for', async () => {
    const { world } = await started({ journal: true });
    const plain = await inspect(world);
    const { page } = await open(plain.url, { viewport: { width: 390, height: 800 } });
    await lit(page, 'running');
    expect(await page.isVisible('#controls')).toBe(false);
    expect(await page.locator('#workers button').count()).toBe(0);
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBe(0);
    await page.screenshot({ path: join(pictures, 'narrow.png'), fullPage: true });

    const controlled = await inspect(world, '--inspect-control');
    const { page: with3 } = await open(controlled.url);
    await with3.click('#workers [data-worker="worker-2"] button', WAIT);
    await with3.waitForSelector('#workers [data-worker="worker-2"] td:nth-child(5):text-is("1")', WAIT);
    await with3.click('#reload', WAIT);
    await with3.waitForSelector(bars(2, 'charge'), WAIT);
  });

  it('cannot be opened from elsewhere: no token, no page', async () => {
    const { world } = await started({ journal: true });
    const { host } = await inspect(world);
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const response = await page.goto(`http://${host}/`);
    expect(response?.status()).toBe(403);
    expect(await page.textContent('body')).toContain('tanist inspect');
  });
});
