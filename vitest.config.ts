import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// In worker threads SIGUSR2 kills the runner: every project runs in forked processes.
const project = (name: string, include: string[], timeoutMs: number) => ({
  test: { name, include, pool: 'forks' as const, testTimeout: timeoutMs, hookTimeout: timeoutMs },
});

// As users load it: XState's development build warns of what is deliberate here, and takes longer.
const asBuilt = {
  resolve: {
    alias: [
      { find: /^xstate$/, replacement: source('node_modules/xstate/dist/xstate.esm.js') },
      { find: /^xstate\/graph$/, replacement: source('node_modules/xstate/dist/xstate-graph.esm.js') },
      // The examples import the package as users do; here that is the source.
      { find: 'tanist/machines', replacement: source('machines/index.ts') },
      { find: 'tanist/testing', replacement: source('src/testing/world.ts') },
    ],
  },
};

export default defineConfig({
  test: {
    reporters: ['default'],
    // Process tests mostly wait: three at a time keep two cores busy, and none waits for time.
    maxWorkers: 3,
    projects: [
      project('unit', ['test/unit/**/*.test.ts'], 30_000),
      { ...asBuilt, ...project('model', ['test/model/**/*.test.ts'], 240_000) },
      project('fuzz', ['test/fuzz/**/*.test.ts'], 60_000),
      { ...asBuilt, ...project('fault', ['test/fault/**/*.test.ts'], 300_000) },
      project('package', ['test/package/**/*.test.ts'], 60_000),
      project('process', ['test/process/**/*.test.ts'], 60_000),
      project('browser', ['test/browser/**/*.test.ts'], 120_000),
    ],
  },
});
