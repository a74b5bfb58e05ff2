// Temporal's time-skipping server for workflow tests: fetched once and handed to the tests as a
// script.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetched } from '../fetch.mjs';
import { during } from '../progress.mjs';
import { fetchJars, requireJava } from './maven.mjs';

const version = '1.38.0';

/**
 * @returns {Promise<string>} the path of a script that runs the server, as the SDK's `existing-
 * path`
 */
export async function testServer(environment) {
  if (environment.TEMPORAL_TEST_SERVER) return environment.TEMPORAL_TEST_SERVER;
  await requireJava("Temporal's test server runs on Java");
  const { dir } = await fetched(`temporal-test-server-${version}`, (building) =>
    during(`fetching Temporal's test server ${version}`, async () => {
      await fetchJars('test-server', building);
      writeFileSync(join(building, 'run'), script, { mode: 0o755 });
    }),
  );
  return join(dir, 'run');
}

// Small heap and the quick compiler: a test run starts several of these for some seconds each.
const script = `#!/bin/sh
here=$(dirname "$0")
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$here/libs/*" \\
  io.temporal.testserver.TestServer "$@"
`;
