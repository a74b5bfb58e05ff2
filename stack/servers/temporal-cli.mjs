// The fallback: the Temporal command line's development server, with a SQLite file and its own
// Web UI.
import { join } from 'node:path';
import { fetched, onPath, requireTool, run } from '../fetch.mjs';
import { answers } from '../ports.mjs';
import { during } from '../progress.mjs';

const version = '1.5.1';

/** @returns {Promise<object[]>} one part that is server and Web UI in one */
export async function temporalCli({ places, ports }) {
  const { dir, how } = await fetched(
    `temporal-cli-${version}`,
    (building) =>
      during(`building the Temporal CLI ${version} (once; some minutes)`, async () => {
        const hint = 'Install Go 1.26 (https://go.dev/dl) or set TEMPORAL_ADDRESS.';
        requireTool('go', 'Temporal is built from its sources', hint);
        await run('go', ['install', `github.com/temporalio/cli/cmd/temporal@v${version}`], {
          env: { GOBIN: building },
          why: 'Building the Temporal CLI',
        });
      }),
    { installed: installedCli },
  );
  const network = [
    '--ip',
    '127.0.0.1',
    '--port',
    ports.temporal,
    '--http-port',
    ports.temporalHttp,
  ];
  const ui = ['--ui-port', ports.ui, '--ui-codec-endpoint', `http://localhost:${ports.codec}`];
  const storage = ['--db-filename', join(places.data, 'temporal.sqlite')];
  return [
    {
      id: 'temporal',
      name: 'Temporal (CLI) + UI',
      address: `127.0.0.1:${ports.temporal}, http://localhost:${ports.ui}`,
      how,
      ports: [ports.temporal, ports.temporalHttp, ports.ui],
      file: join(dir, 'temporal'),
      args: ['server', 'start-dev', '--log-level', 'warn', ...network, ...ui, ...storage].map(
        String,
      ),
      cwd: places.data,
      env: {},
      stopSignal: 'SIGTERM',
      ready: () => answers('127.0.0.1', ports.temporal),
    },
  ];
}

/** The directory of a `temporal` on PATH, as Homebrew installs it. */
async function installedCli() {
  const file = onPath('temporal');
  if (!file) return undefined;
  const output = await run(file, ['--version'], { why: 'Asking the Temporal CLI for its version' });
  return /version 1\./.test(output) ? join(file, '..') : undefined;
}
