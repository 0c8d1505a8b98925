import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Where this names a file, Node 20 reads all certificates at every start: 88 of 137 ms, in each of the thousands of
// processes that the tests start. None of them uses TLS.
delete process.env.NODE_EXTRA_CA_CERTS;

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Short files that take long: begun last, each would end alone. */
const LONG = /\/(crash-matrix|soak|exclusive-attack|world|world-more)\.test\.ts$/;

/** As it is by default, but for these, which come first; groups are groups all the same. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/**
 * `npm test` has so much of them that it takes less than five minutes on two cores: all units, all edges of every
 * machine, and on real processes what is done most. `npm run test:all`, which CI runs, has everything.
 */
const BRIEF_PROCESSES = [
  'control',
  'listeners',
  'readiness',
  'reload',
  'reload-refused',
  'stop',
  'supervision',
].map((name) => `test/process/${name}.test.ts`);
/** The search of all that two generations can do together: half of the time of all model tests. */
const SEARCH = 'test/model/product.test.ts';

/** One group after the other: tests of real processes and their limits have the machine for themselves. */
const COMPUTING = { maxWorkers: 2, sequence: { groupOrder: 0 } };
/** They mostly wait: three at a time keep two cores busy, and none waits for time. */
const WAITING = { maxWorkers: 3, sequence: { groupOrder: 1 } };

// In worker threads SIGUSR2 kills the runner: every project runs in forked processes. They are used for several files,
// since a new one takes 0.8 s of a processor; no file leaves anything behind that another would notice.
const project = (name: string, include: string[], timeoutMs: number, group: typeof COMPUTING) => {
  const [pool, isolate] = ['forks' as const, false];
  return { test: { name, include, pool, isolate, testTimeout: timeoutMs, hookTimeout: timeoutMs, ...group } };
};

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

const projects = (isBrief: boolean) => [
  project('unit', ['test/unit/**/*.test.ts'], 30_000, COMPUTING),
  {
    ...asBuilt,
    ...project('model', ['test/model/**/*.test.ts', ...(isBrief ? [`!${SEARCH}`] : [])], 240_000, COMPUTING),
  },
  project('process', isBrief ? BRIEF_PROCESSES : ['test/process/**/*.test.ts'], 60_000, WAITING),
];

const moreProjects = [
  project('fuzz', ['test/fuzz/**/*.test.ts'], 60_000, COMPUTING),
  { ...asBuilt, ...project('fault', ['test/fault/**/*.test.ts'], 300_000, COMPUTING) },
  project('package', ['test/package/**/*.test.ts'], 60_000, COMPUTING),
  project('browser', ['test/browser/**/*.test.ts'], 120_000, WAITING),
];

export default defineConfig(({ mode }) => ({
  test: {
    reporters: ['default'],
    sequence: { sequencer: LongFirst },
    projects: [...projects(mode === 'brief'), ...(mode === 'brief' ? [] : moreProjects)],
  },
}));
