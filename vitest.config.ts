// Tests run in forks: Temporal's native module crashes in worker threads.
import { defineConfig } from 'vitest/config';

/** Files that run one after another in few processes; all others have a process each. */
const sharing = ['test/api/**/*.test.ts', 'test/db/**/*.test.ts'];
const servers = {
  globalSetup: ['test/support/global-setup.ts'],
  setupFiles: ['test/support/each-file.ts'],
};

export default defineConfig({
  test: {
    pool: 'forks',
    // Only what hangs should meet these: a busy machine takes many times as long as a quiet one.
    hookTimeout: 90_000,
    testTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    // Two cores share these with four servers. Many tests wait for clocks, so a third file finds
    // room; more only measures the queue.
    maxWorkers: 3,
    // Projects run in the order of their names.
    projects: [
      {
        extends: true,
        test: { name: 'domain', include: ['test/domain/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        test: {
          ...servers,
          name: 'processes',
          include: ['test/**/*.test.ts'],
          exclude: [...sharing, 'test/domain/**', 'test/lint-fixture/**', '**/node_modules/**'],
        },
      },
      {
        extends: true,
        // To load the API anew for each of its files took as long as the tests of most of them.
        test: { ...servers, name: 'servers', include: sharing, isolate: false },
      },
    ],
  },
});
