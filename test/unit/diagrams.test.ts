import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMAND, documents } from '../../src/diagrams/document.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the diagrams', () => {
  for (const { path, text } of documents()) {
    it(`${path} is what the machines are`, () => {
      const committed = readFileSync(root + path, 'utf8');
      expect(committed === text, `${path} is stale: run \`${COMMAND}\` and commit it`).toBe(true);
    });
  }

  it('are the same bytes every time', () => {
    expect(documents()).toEqual(documents());
  });

  it('describe every state, and every event in every leaf that waits', () => {
    const supervisor = documents().find(({ path }) => path.endsWith('supervisor.md'))?.text ?? '';
    for (const state of ['idle', 'running', 'respawning', 'reloading', 'takeover', 'handoff'])
      expect(supervisor).toMatch(new RegExp(`\\| \`${state}\` \\| [A-Z]`));
    expect(supervisor).toContain('| `reload.requested` | → reloading / beginReload, startSuccessor |');
    expect(supervisor).toContain('| `handoff.begun` | ignored |');
  });
});
