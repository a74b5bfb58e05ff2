// Tests run in forks: Temporal's native module crashes in worker threads.
import { defineConfig } from 'vitest/config';

const servers = {
  globalSetup: ['test/support/global-setup.ts'],
  setupFiles: ['test/support/each-file.ts'],
};
/** They need a process as it begins: nothing else has set up tracing or a browser in it. */
const alone = ['test/workers/logging.test.ts', 'test/e2e/*sign-in*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    // Only what hangs should meet these: a busy machine takes many times as long as a quiet one.
    hookTimeout: 90_000,
    testTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    // Two cores share these with four servers. Many tests wait for clocks, so more files than
    // cores find room; more only measures the queue.
    maxWorkers: 4,
    // Files of a project run one after another in few processes, unless they have to be alone: to
    // load the API or Temporal anew for each took as long as the tests of most of them. Projects
    // run in the order of their names.
    projects: [
      {
        extends: true,
        test: { ...servers, name: 'alone', include: alone },
      },
      {
        extends: true,
        test: { name: 'domain', include: ['test/domain/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        test: {
          ...servers,
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: [...alone, 'test/domain/**', 'test/lint-fixture/**', '**/node_modules/**'],
          isolate: false,
        },
      },
    ],
  },
});
