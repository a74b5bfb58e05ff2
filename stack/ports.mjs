// Chooses the ports of a stack and, when one is taken, finds out by whom.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { StackError } from './progress.mjs';

/**
 * Part, its variable, its default port. Temporal's inner ports keep their distance from the
 * first.
 */
const fixed = [
  ['api', 'FORECOURT_API_PORT', 8080],
  ['ui', 'FORECOURT_UI_PORT', 8233],
  ['codec', 'FORECOURT_CODEC_PORT', 8234],
  ['postgres', 'FORECOURT_POSTGRES_PORT', 15432],
  ['kafka', 'FORECOURT_KAFKA_PORT', 19092],
  ['kafkaController', 'FORECOURT_KAFKA_CONTROLLER_PORT', 19093],
  ['redis', 'FORECOURT_REDIS_PORT', 16379],
  ['temporal', 'FORECOURT_TEMPORAL_PORT', 7233],
  ['internal', 'FORECOURT_INTERNAL_PORT', 9464],
];
const temporalInner = {
  temporalHistory: 1,
  temporalMatching: 2,
  temporalWorker: 6,
  temporalHttp: 10,
  temporalFrontendMembership: -300,
  temporalHistoryMembership: -299,
  temporalMatchingMembership: -298,
  temporalWorkerMembership: -294,
};

// Temporal keeps its ports in an int2 and counts on from the first; one limit for all is easier
// to know.
const highest = 32_000;

/** The ports that `npm start` promises, as the environment may have moved them. */
export function startPorts(environment = process.env) {
  const ports = {};
  for (const [part, variable, standard] of fixed) {
    const port = Number(environment[variable] ?? standard);
    if (!Number.isInteger(port) || port < 1024 || port > highest) {
      throw new StackError(
        `${variable} is ${environment[variable]}: a port from 1024 to ${highest}.`,
      );
    }
    ports[part] = port;
  }
  for (const [part, away] of Object.entries(temporalInner)) ports[part] = ports.temporal + away;
  return ports;
}

/**
 * Ports that nobody uses now, for a stack that runs beside others: below those that the system
 * gives to
 * outgoing connections, and below the limit.
 */
export async function freePorts() {
  const names = [...fixed.map(([part]) => part), ...Object.keys(temporalInner)];
  // All are held open until each is chosen, or one could be chosen twice.
  const held = [];
  for (let tries = 0; held.length < names.length && tries < 1000; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * (highest - 20_000));
    const server = await listen(port).catch(() => undefined);
    if (server) held.push(server);
  }
  if (held.length < names.length) throw new StackError(`No free ports from 20000 to ${highest}.`);
  const ports = Object.fromEntries(names.map((name, i) => [name, held[i].address().port]));
  await Promise.all(held.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Throws one clear line when a port of a part is in use. */
export async function requireFree(part, port) {
  try {
    const server = await listen(port);
    await new Promise((done) => server.close(done));
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    const variable = fixed.find(([, , standard]) => standard === port)?.[1];
    const move = variable ? `, or set ${variable} to another port` : '';
    throw new StackError(
      `${part} needs port ${port}, which ${holderOf(port)} holds: stop that${move}.`,
    );
  }
}

function listen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** Who listens on a port, in words: `process 4711 (node server.js)`. */
export function holderOf(port) {
  const inodes = new Set([
    ...socketsOf('/proc/net/tcp', port),
    ...socketsOf('/proc/net/tcp6', port),
  ]);
  if (inodes.size > 0) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsOneOf(pid, inodes)) return `process ${pid} (${commandOf(pid)})`;
    }
  }
  return 'another process (of another user, or not to be seen here)';
}

function socketsOf(table, port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = '0A';
  try {
    const rows = readFileSync(table, 'utf8').split('\n').slice(1);
    return rows
      .map((row) => row.trim().split(/\s+/))
      .filter((row) => row[1]?.endsWith(`:${hex}`) && row[3] === listening)
      .map((row) => `socket:[${row[9]}]`);
  } catch {
    return [];
  }
}

function holdsOneOf(pid, inodes) {
  try {
    const dir = `/proc/${pid}/fd`;
    return readdirSync(dir).some((fd) => inodes.has(readlinkSync(`${dir}/${fd}`)));
  } catch {
    return false;
  }
}

function commandOf(pid) {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
    return words.length > 80 ? `${words.slice(0, 77)}...` : words;
  } catch {
    return 'ended meanwhile';
  }
}

/** Whether something accepts connections there. */
export function answers(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const end = (value) => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
