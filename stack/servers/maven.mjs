// Fetches the jars of a pinned pom.xml from Maven Central and holds each against its committed
// checksum.
import { copyFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkSums, requireTool, run } from '../fetch.mjs';
import { StackError } from '../progress.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const oldestJava = 17;

/** Copies the jars of servers/<name>/pom.xml into `dir`/libs. */
export async function fetchJars(name, dir) {
  const why = `${name} is fetched with Maven`;
  requireTool('mvn', why, 'Install it, on Debian: apt-get install maven');
  const libs = join(dir, 'libs');
  // Maven wants to write beside its pom, and the clone may be read-only: it works on a copy.
  copyFileSync(join(here, name, 'pom.xml'), join(dir, 'pom.xml'));
  const args = ['-B', '-q', plugin, '-DincludeScope=runtime', `-DoutputDirectory=${libs}`];
  await run('mvn', args, { cwd: dir, why: `Fetching ${name}` });
  checkSums(libs, readdirSync(libs), join(here, name, 'sha256.txt'));
}

/** Throws one clear line when there is no Java that these servers run on. */
export async function requireJava(why) {
  requireTool('java', why, 'Install Java 17, on Debian: apt-get install openjdk-17-jre-headless');
  const output = await run('java', ['-version'], { why: 'Asking Java for its version' });
  const version = Number(/version "(\d+)/.exec(output)?.[1]);
  if (!(version >= oldestJava)) {
    throw new StackError(`Java ${version} is too old: ${why} and needs ${oldestJava} or newer.`);
  }
}
