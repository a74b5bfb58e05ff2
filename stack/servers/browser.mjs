// A Chromium for the tests of the sign-in pages: found, or installed by Debian's tools.
import { onPath, requireTool, run } from '../fetch.mjs';
import { isRoot } from '../places.mjs';
import { during, StackError } from '../progress.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome'];
const hint = 'Install Chromium (Debian: apt-get install chromium) or set CHROMIUM to its path.';

/** Resolves with the browser's path. Only root may install it; anybody else is told how. */
export async function browser(environment) {
  const known = environment.CHROMIUM || found();
  if (known) return known;
  if (!isRoot) throw new StackError(`The tests of the sign-in pages need a browser. ${hint}`);
  requireTool('apt-get', "Chromium is installed with Debian's tools", hint);
  await during('installing Chromium', async () => {
    const why = 'Installing Chromium';
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const install = () =>
      run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { why, env });
    // The machine's package lists may be missing or old.
    await install().catch(async () => {
      await run('apt-get', ['update'], { why, env });
      await install();
    });
  });
  return found() ?? fail();
}

function found() {
  return names.map((name) => onPath(name)).find(Boolean);
}

function fail() {
  throw new StackError(`Chromium was installed but is not on PATH. ${hint}`);
}
