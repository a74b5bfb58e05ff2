// Temporal's time-skipping server for workflow tests: fetched once and handed to the tests as a
// script.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fetched } from '../fetch.mjs';
import { answers, freePorts } from '../ports.mjs';
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
  const { dir } = await fetched(`temporal-test-server-${version}-quick`, (building) =>
    during(`fetching Temporal's test server ${version}`, async () => {
      await fetchJars('test-server', building);
      writeFileSync(join(building, 'run'), script, { mode: 0o755 });
    }),
  );
  const archive = join(dir, 'classes.jsa');
  if (!existsSync(archive)) {
    await during("preparing Temporal's test server", () => archiveClasses(dir, archive));
  }
  return join(dir, 'run');
}

/**
 * Keeps the classes as a start has loaded and checked them: the next ones take less than half as
 * long. Where they stand is part of it, so this is no part of fetching. What goes wrong costs only
 * that time.
 */
async function archiveClasses(dir, archive) {
  const mine = `${archive}.${process.pid}`;
  const { temporal: port } = await freePorts();
  const program = ['-cp', `${dir}/libs/*`, 'io.temporal.testserver.TestServer', String(port)];
  const args = [...flags, `-XX:ArchiveClassesAtExit=${mine}`, ...program];
  const server = spawn('java', args, { stdio: 'ignore' });
  const stop = () => server.kill('SIGTERM');
  process.once('exit', stop);
  const ended = once(server, 'exit');
  for (let tries = 0; tries < 300 && server.exitCode === null; tries += 1) {
    if (await answers('127.0.0.1', port)) break;
    await delay(100);
  }
  stop();
  await ended;
  process.off('exit', stop);
  if (existsSync(mine)) renameSync(mine, archive);
}

// Small heap and the quick compiler: a test run starts several of these for some seconds each.
const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const script = `#!/bin/sh
here=$(dirname "$0")
exec java ${flags.join(' ')} -XX:SharedArchiveFile="$here/classes.jsa" -cp "$here/libs/*" \\
  io.temporal.testserver.TestServer "$@"
`;
