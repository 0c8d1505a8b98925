import { describe, expect, it } from 'vitest';
import { recordReload } from '../../src/diagrams/sequence/recording.js';
import type { Scene, Span } from '../../src/diagrams/sequence/scene.js';
import { sequenceSvg } from '../../src/diagrams/sequence/svg.js';

const scenes = { overlap: await recordReload('overlap'), exclusive: await recordReload('exclusive') };

/** What goes from one to another, in order. */
const messages = ({ rows }: Scene): readonly string[] =>
  rows.flatMap((row) => (row.kind === 'message' ? [`${row.from} → ${row.to}: ${row.text}`] : []));

/** How many are it, between each row and the next. */
const counts = ({ rows, spans }: Scene, is: Span['is']): readonly number[] =>
  rows.map(
    (_, row) =>
      spans.filter((span) => span.is === is && (span.from ?? -1) <= row && row < (span.to ?? rows.length))
        .length,
  );

describe('the recorded reload', () => {
  it('is the protocol: asked, granted, committed, and then the verdict (overlap)', () => {
    expect(messages(scenes.overlap)).toEqual([
      'operator → supervisor 1: POST /reload',
      'supervisor 1 → supervisor 2: hand-over record',
      'worker 2 → supervisor 2: takeover',
      'supervisor 2 → supervisor 1: takeover',
      'supervisor 1 → supervisor 2: granted',
      'supervisor 2 → supervisor 1: activated',
      'supervisor 2 → worker 2: ok',
      'supervisor 2 → supervisor 1: committed',
      'supervisor 1 → operator: promoted',
      'supervisor 1 → worker 1: SIGTERM',
    ]);
  });

  it('drains the old worker before it grants anything (exclusive)', () => {
    const said = messages(scenes.exclusive);
    const order = ['draining', 'SIGTERM', 'granted', 'activated', 'ok', 'committed', 'promoted'];
    expect(said.slice(-order.length).map((line) => line.split(': ')[1])).toEqual(order);
  });

  it('has one generation in charge at every moment', () => {
    for (const scene of Object.values(scenes))
      expect(new Set(counts(scene, 'in charge'))).toEqual(new Set([1]));
  });

  it('has a worker that serves at every moment in overlap mode, and never two in exclusive mode', () => {
    expect(Math.min(...counts(scenes.overlap, 'serving'))).toBe(1);
    expect(Math.max(...counts(scenes.overlap, 'serving'))).toBe(2);
    expect(Math.max(...counts(scenes.exclusive, 'serving'))).toBe(1);
    expect(Math.min(...counts(scenes.exclusive, 'serving'))).toBe(0);
  });

  it('is drawn with a mark on every message, state and bar', () => {
    for (const scene of Object.values(scenes)) {
      const svg = sequenceSvg(scene);
      const marks = (name: string) => [...svg.matchAll(new RegExp(` data-${name}="`, 'g'))].length;
      const rows = (...kinds: string[]) => scene.rows.filter(({ kind }) => kinds.includes(kind)).length;
      expect([marks('message'), marks('state'), marks('span')]).toEqual([
        rows('message', 'start'),
        rows('state'),
        scene.spans.length,
      ]);
    }
  });
});
