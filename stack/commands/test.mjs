// `npm test`: a stack of its own, begun empty, then vitest; what vitest says last is the last
// that is said.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepareServers } from '../app.mjs';
import { plainEnv } from '../fetch.mjs';
import { installPackage } from '../install.mjs';
import { root } from '../places.mjs';
import { browser } from '../servers/browser.mjs';
import { stripeMock } from '../servers/stripe-mock.mjs';
import { testServer } from '../servers/test-server.mjs';
import { bringUp } from '../stack.mjs';

/** Resolves with vitest's exit code. */
export async function test(args) {
  const fetching = testServer(process.env);
  // Awaited below: until then its failure must not count as unhandled.
  fetching.catch(() => {});
  const stack = await bringUp('test');
  const finding = browser(process.env);
  finding.catch(() => {});
  const building = stripeMock(process.env);
  building.catch(() => {});
  const clientTools = installPackage(join(root, 'test/api-client'), "the API client's tools");
  clientTools.catch(() => {});
  try {
    const [timeSkipping, chromium, stripe] = await Promise.all([
      fetching,
      finding,
      building,
      prepareServers(stack),
      clientTools,
    ]);
    const env = {
      ...stack.env,
      DATABASE_OWNER_URL: stack.ownerUrl,
      TEMPORAL_TEST_SERVER: timeSkipping,
      CHROMIUM: chromium,
      // One that somebody else runs may hold rows.
      ...(process.env.DATABASE_URL ? {} : { MIGRATED_DATABASE: 'forecourt' }),
      STRIPE_MOCK: stripe,
      // Most test files, and each process that one starts, load the same modules.
      NODE_COMPILE_CACHE: join(stack.places.base, 'compile-cache'),
    };
    return await foreground(join(root, 'node_modules/vitest/vitest.mjs'), ['run', ...args], env);
  } finally {
    await stack.stop();
  }
}

/** Runs a program under this Node in the foreground; resolves with its exit code. */
export function foreground(file, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], {
      cwd: root,
      env: { ...plainEnv(), ...env },
      stdio: 'inherit',
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
