// The product's own processes: the steps that prepare the servers for them, and the parts that
// keep running.
import { join } from 'node:path';
import { run } from './fetch.mjs';
import { nodeArgs, nodeEnv } from './node-args.mjs';
import { root } from './places.mjs';
import { during } from './progress.mjs';
import { responds } from './servers/temporal.mjs';

const programs = [
  // id, name in the table, entry file, distance of the internal port from the first
  ['worker', 'Worker', 'workers/main.ts', 1],
  ['relay', 'Relay', 'workers/relay.ts', 2],
  ['consumers', 'Consumers', 'workers/consumers.ts', 3],
];

const coreMetrics = 8;

/**
 * Schema, Temporal's namespace and search attributes, Kafka's topics; each can be repeated at
 * will.
 */
export async function prepareServers(stack) {
  await Promise.all([
    step(stack, 'migrating the database', 'db/migrate.ts', { DATABASE_OWNER_URL: stack.ownerUrl }),
    step(stack, 'setting Temporal up', 'temporal-config/setup.ts'),
    stack.kafka.then(() => step(stack, 'creating topics', 'events/setup.ts')),
  ]);
}

/** Loads the demo company when the database is empty. Resolves with who its people are. */
export async function loadDemo(stack) {
  const env = { DEMO_PASSWORD: stack.demoPassword };
  const output = await step(stack, 'loading the demo company', 'workers/load-demo.ts', env);
  const at = output.indexOf('Demo users');
  return at < 0 ? '' : output.slice(at).trimEnd();
}

function step(stack, what, file, env = {}) {
  return during(what, () =>
    run(process.execPath, [...nodeArgs(), join(root, file)], {
      cwd: root,
      env: { ...stack.env, ...env },
      why: `${what[0].toUpperCase()}${what.slice(1)}`,
    }),
  );
}

/** The long-running processes, as parts for the supervisor. */
export function appParts(stack) {
  const { ports } = stack;
  const inner = programs.map(([id, name, file, distance]) => {
    const port = ports.internal + distance;
    const address = `http://127.0.0.1:${port}`;
    const env = { INTERNAL_PORT: String(port) };
    // The SDK's core measures in a listener of its own, which the worker's own page includes.
    if (id === 'worker') env.METRICS_PORT = String(ports.internal + coreMetrics);
    return part(stack, { id, name, file, address, ports: [port], env, ready: address });
  });
  const codec = `http://localhost:${ports.codec}`;
  const api = `http://localhost:${ports.api}`;
  return [
    ...inner,
    {
      ...part(stack, { id: 'codec', name: 'Codec server', file: 'workers/codec-server.ts' }),
      address: codec,
      ports: [ports.codec],
      ready: async () => isServed(`http://127.0.0.1:${ports.codec}/`),
    },
    part(stack, {
      id: 'api',
      name: 'API',
      file: 'api/server.ts',
      address: api,
      ports: [ports.api, ports.internal],
      env: { PORT: String(ports.api), INTERNAL_PORT: String(ports.internal) },
      ready: `http://127.0.0.1:${ports.api}`,
    }),
  ];
}

function part(stack, { id, name, file, address, ports, env = {}, ready }) {
  return {
    id,
    name,
    address,
    how: file,
    ports,
    file: process.execPath,
    args: [...nodeArgs(id), join(root, file)],
    cwd: root,
    env: { ...nodeEnv, ...stack.env, ...env },
    stopSignal: 'SIGTERM',
    ready: () => responds(`${ready}/health/ready`),
  };
}

/** Whether HTTP is spoken there, whatever the answer. */
async function isServed(url) {
  try {
    await fetch(url, { signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false;
  }
}
