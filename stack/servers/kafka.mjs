// Kafka as one node in KRaft mode: found, fetched, configured and started.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fetched, onPath, run } from '../fetch.mjs';
import { answers } from '../ports.mjs';
import { during } from '../progress.mjs';
import { externalPart, firstOf } from './external.mjs';
import { fetchJars, requireJava } from './maven.mjs';

const version = '4.3.1';
const heap = ['-Xms384m', '-Xmx384m', '-XX:+UseSerialGC'];
/** Compiling less thoroughly costs throughput but saves a third of the work of a start. */
const quickStart = ['-XX:TieredStopAtLevel=1'];

/** @returns {Promise<object>} the part that the supervisor runs, or the address to use as it is */
export async function kafka({ places, ports, environment }) {
  const elsewhere = environment.KAFKA_BROKERS;
  if (elsewhere) {
    const [host, port] = firstOf(elsewhere);
    return externalPart('kafka', 'Kafka', elsewhere, 'KAFKA_BROKERS', host, port);
  }
  await requireJava('Kafka runs on Java');
  const { dir: home, how } = await fetched(
    `kafka-${version}`,
    (dir) => during(`fetching Kafka ${version}`, () => fetchJars('kafka', dir)),
    { installed: installedKafka },
  );
  const libs = join(home, 'libs');
  const dir = join(places.data, 'kafka');
  const config = join(places.data, 'kafka.properties');
  mkdirSync(dir, { recursive: true });
  writeFileSync(config, properties(dir, ports));
  if (!existsSync(join(dir, 'meta.properties'))) await format(libs, config);
  return {
    id: 'kafka',
    name: 'Kafka',
    address: `127.0.0.1:${ports.kafka}`,
    how,
    ports: [ports.kafka, ports.kafkaController],
    file: 'java',
    args: [
      ...heap,
      ...(places.kind === 'bench' ? [] : quickStart),
      ...['-cp', `${libs}/*`, 'kafka.Kafka', config],
    ],
    cwd: places.data,
    stopSignal: 'SIGTERM',
    ready: () => answers('127.0.0.1', ports.kafka),
  };
}

/**
 * The home of a Kafka 4 on PATH: its scripts lie in bin/ beside libs/, under Homebrew in
 * libexec/.
 */
function installedKafka() {
  const script = onPath('kafka-server-start.sh') ?? onPath('kafka-server-start');
  if (!script) return undefined;
  const up = dirname(dirname(realpathSync(script)));
  return [up, join(up, 'libexec')].find((home) => {
    const libs = join(home, 'libs');
    return existsSync(libs) && readdirSync(libs).some((jar) => /^kafka_2\.13-4\./.test(jar));
  });
}

async function format(libs, config) {
  const id = randomBytes(16).toString('base64url');
  const args = ['-cp', `${libs}/*`, 'kafka.tools.StorageTool', 'format'];
  // One word with its value: one id in 64 begins with a dash, which alone would be an option.
  await run('java', [...args, `--cluster-id=${id}`, '-c', config, '--ignore-formatted'], {
    why: 'Formatting the Kafka log directory',
  });
}

function properties(dir, ports) {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.kafkaController}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports.kafkaController}
advertised.listeners=PLAINTEXT://127.0.0.1:${ports.kafka}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${dir}
# Topics are created explicitly, with their own settings: a misspelt name is an error, not a new topic.
auto.create.topics.enable=false
# One node: every internal topic has one copy.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A restart after a kill waits for the old session to expire: 4 s instead of 12 s with these.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
`;
}
