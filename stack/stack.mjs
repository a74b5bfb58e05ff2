// Brings the servers of one stack up: claims the stack, finds and starts each server, tells
// their addresses.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endTools } from './fetch.mjs';
import { makePlaces, placesOf, readJson, secretsOf } from './places.mjs';
import { freePorts, startPorts } from './ports.mjs';
import { gone, isAlive, signal, startTimeOf, stopOrphans, whenAbandoned } from './processes.mjs';
import { during, StackError, say } from './progress.mjs';
import { kafka } from './servers/kafka.mjs';
import { postgres } from './servers/postgres.mjs';
import { redis } from './servers/redis.mjs';
import { temporal } from './servers/temporal.mjs';
import { supervisor } from './supervise.mjs';

/**
 * Starts the servers of a stack.
 * @param {'start' | 'test' | 'bench'} kind `start` keeps its data and its ports; the others begin
 * empty, on free ports
 * @returns {Promise<object>} places, ports, `env` for the processes of the product, `rows` for
 * the table,
 *   `start(part)` and `stop()`
 */
export async function bringUp(kind, environment = process.env) {
  const places = placesOf(kind);
  const release = await claim(places);
  const watch = supervisor(places);
  const stop = async () => {
    endTools();
    await watch.stop();
    release();
  };
  const stack = { places, rows: [], stop };
  stopOnSignals(stack);
  try {
    stack.ports = kind === 'start' ? startPorts(environment) : await freePorts();
    const secrets = secretsOf(places);
    const database = databaseOf(environment, stack.ports, secrets);
    const context = { places, ports: stack.ports, secrets, database, environment };
    stack.start = (part) => startAndNote(stack, watch, part);
    await startServers(stack, context);
    stack.env = envOf(environment, stack.ports, secrets, places);
    stack.ownerUrl = database.url;
    stack.demoPassword = environment.DEMO_PASSWORD ?? secrets.demoPassword;
    return stack;
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * What is slow is done at once for all: Temporal alone waits, for PostgreSQL. Kafka takes longest
 * and is needed
 * last, so its readiness is left in `stack.kafka` for whoever needs it.
 */
async function startServers(stack, context) {
  const startOne = async (find) => stack.start(await find(context));
  stack.kafka = startOne(kafka);
  const temporalParts = temporal(context);
  // Both are awaited later: until then their failure must not count as unhandled.
  for (const later of [stack.kafka, temporalParts]) later.catch(() => {});
  const [parts] = await Promise.all([temporalParts, startOne(postgres), startOne(redis)]);
  const needed = context.places.kind === 'start' ? parts : parts.slice(0, 1);
  await Promise.all(needed.map((part) => stack.start(part)));
}

async function startAndNote(stack, watch, part) {
  const seconds = await during(`starting ${part.name}`, () => watch.start(part));
  const state = part.external ? 'answers' : 'ready';
  stack.rows.push({ name: part.name, address: part.address, state, how: part.how, seconds });
}

/** Makes this process the only one that runs this stack, and ends what a killed one left behind. */
async function claim(places) {
  makePlaces(places);
  const path = join(places.base, 'supervisor.json');
  const holder = readJson(path);
  if (isAlive(holder) && isAbandoned(holder)) {
    await during('waiting for the former one to stop', () => gone(holder, 35));
    if (isAlive(holder)) signal(holder.pid, 'SIGKILL');
  } else if (isAlive(holder)) {
    const what = places.kind === 'start' ? 'the system' : `a ${places.kind} run`;
    const stop = places.kind === 'start' ? ' or `npm run stop`' : '';
    throw new StackError(
      `Of this clone ${what} already runs (process ${holder.pid}): Ctrl-C there${stop} ends it.`,
    );
  }
  rmSync(path, { force: true });
  const mine = { ...identity(process.pid), parent: detached ? undefined : identity(process.ppid) };
  try {
    writeFileSync(path, JSON.stringify(mine), { flag: 'wx', mode: 0o600 });
  } catch {
    throw new StackError('Another start of this clone began at the same moment: let that one run.');
  }
  const ended = await stopOrphans(places.run);
  if (ended.length > 0) say(`  Left over from before and stopped: ${ended.join(', ')}.`);
  if (places.kind !== 'start') empty(places);
  return () => {
    rmSync(path, { force: true });
    rmSync(places.stackFile, { force: true });
  };
}

function identity(pid) {
  return { pid, startTime: startTimeOf(pid) };
}

/** Whoever started it was killed: it is about to notice, and to stop. */
function isAbandoned(holder) {
  return holder.parent !== undefined && !isAlive(holder.parent);
}

function empty(places) {
  for (const dir of [places.data, places.logs, places.run, places.postgres]) {
    rmSync(dir, { recursive: true, force: true });
  }
  makePlaces(places);
}

/** The database as its owner, for migrations and for Temporal's own two databases. */
function databaseOf(environment, ports, secrets) {
  const local = `postgres://postgres:${secrets.owner}@127.0.0.1:${ports.postgres}/forecourt`;
  // The owner's own address counts only together with the database that the environment names.
  const { DATABASE_URL: named, DATABASE_OWNER_URL: owner } = environment;
  const url = named ? (owner ?? named) : local;
  const { hostname, port, username, password } = new URL(url);
  return {
    url,
    host: hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}

/** What every process of the product is told; the owner of the database only in `ownerUrl`. */
function envOf(environment, ports, secrets, places) {
  const local = `postgres://forecourt_app:${secrets.app}@127.0.0.1:${ports.postgres}/forecourt`;
  return {
    TZ: 'UTC',
    DATABASE_URL: environment.DATABASE_URL ?? local,
    TEMPORAL_ADDRESS: environment.TEMPORAL_ADDRESS ?? `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE: 'forecourt',
    KAFKA_BROKERS: environment.KAFKA_BROKERS ?? `127.0.0.1:${ports.kafka}`,
    REDIS_URL: environment.REDIS_URL ?? `redis://127.0.0.1:${ports.redis}`,
    PAYLOAD_KEYS: environment.PAYLOAD_KEYS ?? secrets.payloadKeys,
    DATA_KEYS: environment.DATA_KEYS ?? secrets.dataKeys,
    OBJECT_STORE_DIR: environment.OBJECT_STORE_DIR ?? join(places.data, 'objects'),
    AUTH_COOKIE_KEYS: environment.AUTH_COOKIE_KEYS ?? secrets.authCookieKeys,
    PAYMENT_WEBHOOK_SECRET: environment.PAYMENT_WEBHOOK_SECRET ?? secrets.paymentWebhook,
    PAYMENT_WEBHOOK_URL: `http://127.0.0.1:${ports.api}/webhooks/payments/simulated`,
    CODEC_PORT: String(ports.codec),
    CODEC_UI_ORIGIN: `http://localhost:${ports.ui}`,
    LOG_LEVEL: environment.LOG_LEVEL ?? 'info',
  };
}

/** Started by `npm run demo`, which ends before the system does. */
const detached = process.env.FORECOURT_DETACHED !== undefined;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * One stop, whatever asks for it and however often: a signal, or the end of the process that
 * started us.
 */
function stopOnSignals(stack) {
  let asked = false;
  const ask = async () => {
    if (asked) return;
    asked = true;
    await (stack.onSignal?.() ?? stack.stop());
    process.exit(stack.places.kind === 'start' ? 0 : 130);
  };
  for (const name of signals) process.on(name, ask);
  // A terminal that went away must not keep the servers from being stopped.
  process.stdout.on('error', () => {});
  if (!detached) whenAbandoned(ask);
}
