// Tests run in forks: Temporal's native module crashes in worker threads.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    hookTimeout: 60_000,
    testTimeout: 30_000,
    // Two cores share these with four servers. Many tests wait for clocks, so a third file finds
    // room; more only measures the queue.
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'domain', include: ['test/domain/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'servers',
          globalSetup: ['test/support/global-setup.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/domain/**', 'test/lint-fixture/**', '**/node_modules/**'],
        },
      },
    ],
  },
});
