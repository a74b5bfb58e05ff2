// Makes a Temporal server ready: namespace, search attributes, schedules. Safe to repeat.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, isGrpcServiceError, ScheduleAlreadyRunning } from '@temporalio/client';
import type { SearchAttributeType } from '@temporalio/common';
import { NAMESPACE, searchAttributes } from './names.ts';
import { SCHEDULES } from './schedules.ts';

const RETENTION_DAYS = 30;
const ALREADY_EXISTS = 6;

/** The server's numbers for the types of search attributes. */
const TYPES = { KEYWORD: 2, BOOL: 5, DATETIME: 6 } as const satisfies Partial<
  Record<SearchAttributeType, number>
>;

/**
 * Waits up to `waitMs` for the server, then creates what is missing. Throws an Error that names
 * the address when nothing answers there.
 */
export async function setUpTemporal(
  address: string,
  namespace: string = NAMESPACE,
  waitMs = 60_000,
): Promise<void> {
  const connection = await reach(address, waitMs);
  try {
    await createNamespace(connection, namespace);
    await until(waitMs, () => addSearchAttributes(connection, namespace));
    await until(waitMs, () => createSchedules(new Client({ connection, namespace })));
  } finally {
    await connection.close();
  }
}

async function reach(address: string, waitMs: number): Promise<Connection> {
  try {
    return await until(waitMs, () => Connection.connect({ address, connectTimeout: 2_000 }));
  } catch (cause) {
    const seconds = Math.round(waitMs / 1_000);
    throw new Error(`Temporal did not answer at ${address} within ${seconds} s.`, { cause });
  }
}

async function createNamespace(connection: Connection, namespace: string): Promise<void> {
  const retention = { seconds: RETENTION_DAYS * 24 * 60 * 60 };
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      description: 'Forecourt: vehicle rental and fleet',
      workflowExecutionRetentionPeriod: retention as never,
    });
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: retention as never },
    });
  }
}

/** A namespace that was just made takes some seconds to be known everywhere in the server. */
async function addSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const known = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes)
    .filter((key) => known.customAttributes[key.name] === undefined)
    .map((key) => [key.name, TYPES[key.type as keyof typeof TYPES]] as const);
  if (missing.length === 0) return;
  await connection.operatorService
    .addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing) })
    .catch((error: unknown) => {
      if (!isAlreadyThere(error)) throw error;
    });
}

async function createSchedules(client: Client): Promise<void> {
  for (const schedule of SCHEDULES) {
    try {
      await client.schedule.create(schedule);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await client.schedule.getHandle(schedule.scheduleId).update(() => schedule as never);
    }
  }
}

function isAlreadyThere(error: unknown): boolean {
  return isGrpcServiceError(error) && error.code === ALREADY_EXISTS;
}

/** Repeats `attempt` until it succeeds; throws its last error when the time is up. */
async function until<T>(waitMs: number, attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + waitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() >= end) throw error;
      await sleep(250);
    }
  }
}

if (import.meta.main) {
  const address = process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233';
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? NAMESPACE;
  try {
    await setUpTemporal(address, namespace);
    process.stdout.write(`Temporal at ${address}: namespace ${namespace} is ready.\n`);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (cause instanceof Error) process.stderr.write(`  ${cause.message}\n`);
    process.exitCode = 1;
  }
}
