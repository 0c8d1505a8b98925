import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ELK from 'elkjs/lib/elk.bundled.js';
import { describe, expect, it } from 'vitest';
import { supervisorMachine } from '../../machines/supervisor.js';
import { arrowsOf } from '../../src/diagrams/arrow.js';
import { chartOf, everyState } from '../../src/diagrams/chart.js';
import { COMMAND, documents } from '../../src/diagrams/document.js';
import type { Graph } from '../../src/diagrams/graph.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const elk = new ELK.default();
const layout = async (graph: Graph): Promise<Graph> =>
  (await elk.layout(structuredClone(graph) as Parameters<typeof elk.layout>[0])) as unknown as Graph;
const all = await documents(layout);
const textOf = (path: string): string => all.find((document) => document.path === path)?.text ?? '';

describe('the diagrams', () => {
  for (const { path, text } of all) {
    it(`${path} is what the machines are`, () => {
      const committed = readFileSync(root + path, 'utf8');
      expect(committed === text, `${path} is stale: run \`${COMMAND}\` and commit it`).toBe(true);
    });
  }

  it('are the same bytes every time', async () => {
    expect(await documents(layout)).toEqual(all);
  });

  it('describe every state, and every event in every leaf that waits', () => {
    const supervisor = textOf('diagrams/supervisor.md');
    for (const state of ['idle', 'running', 'respawning', 'reloading', 'takeover', 'handoff'])
      expect(supervisor).toMatch(new RegExp(`\\| \`${state}\` \\| [A-Z]`));
    expect(supervisor).toContain(
      '| `reload.requested` | [isReloadable] → reloading / beginReload, withdrawReliefs, startSuccessor; else stays / refuseReload |',
    );
    expect(supervisor).toContain('| `handoff.begun` | ignored |');
  });

  it('draw every state once, and every arrow with its line', () => {
    const svg = textOf('diagrams/supervisor.svg');
    const chart = chartOf(supervisorMachine);
    const states = everyState(chart).filter(({ path }) => path !== '');
    expect([...svg.matchAll(/ data-state="([^"]+)"/g)].map(([, path]) => path)).toEqual(
      states.map(({ path }) => path),
    );
    expect([...svg.matchAll(/ data-edge="[^"]+"><path d="M/g)].length).toBe(arrowsOf(chart).length);
  });

  it('let no label cover another, and no state a label', () => {
    for (const { path, text: svg } of all.filter((document) => document.path.endsWith('.svg'))) {
      const labels = boxesOf(svg, /<rect class="halo" ([^>]*)\/>/g);
      const leaves = boxesOf(svg, /<g class="state(?: final)?"[^>]*><title>[^<]*<\/title><rect ([^>]*)\/>/g);
      expect(labels.length).toBeGreaterThan(10);
      labels.forEach((label, index) => {
        for (const other of [...labels.slice(index + 1), ...leaves])
          expect(overlaps(label, other), `${path}: ${JSON.stringify([label, other])}`).toBe(false);
      });
    }
  });
});

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const boxesOf = (svg: string, pattern: RegExp): readonly Rectangle[] =>
  [...svg.matchAll(pattern)].map(([, attributes = '']) => {
    const value = (name: string) => Number(new RegExp(`(?:^| )${name}="([^"]+)"`).exec(attributes)?.[1]);
    return { x: value('x'), y: value('y'), width: value('width'), height: value('height') };
  });

const overlaps = (one: Rectangle, other: Rectangle): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;
