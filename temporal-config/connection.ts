// How every process reaches Temporal: address, namespace, encryption, tracing and deadlines.
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry';
import { NAMESPACE } from './names.ts';
import { createPayloadCodec, type PayloadKey, parsePayloadKeys } from './payload-codec.ts';

/** The bundler needs it too: failures are converted inside the workflow's sandbox. */
export const failureConverterPath = fileURLToPath(
  new URL('./failure-converter.ts', import.meta.url),
);

export type TemporalSettings = {
  readonly address: string;
  readonly namespace: string;
  readonly keys: readonly PayloadKey[];
};

/**
 * Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and PAYLOAD_KEYS. Throws when the keys are missing or
 * malformed: a process without them would store readable payloads.
 */
export function temporalSettings(env: NodeJS.ProcessEnv = process.env): TemporalSettings {
  return {
    address: env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
    namespace: env['TEMPORAL_NAMESPACE'] ?? NAMESPACE,
    keys: parsePayloadKeys(env['PAYLOAD_KEYS']),
  };
}

/** For clients, workers and replay alike; two that differ cannot read each other. */
export function dataConverter(keys: readonly PayloadKey[]): DataConverter {
  return { payloadCodecs: [createPayloadCodec(keys)], failureConverterPath };
}

/**
 * A client whose connection is made at the first call, so that a process starts, and says what is
 * down, while Temporal does not answer. Close it by `client.connection.close()`.
 */
export function openClient(settings: TemporalSettings): Client {
  return clientOn(Connection.lazy({ address: settings.address }), settings);
}

/** The product's client on a connection of one's own. */
export function clientOn(
  connection: Connection,
  { namespace, keys }: Pick<TemporalSettings, 'namespace' | 'keys'>,
): Client {
  return new Client({
    connection,
    namespace,
    dataConverter: dataConverter(keys),
    interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] },
  });
}

/**
 * Runs `calls` with a deadline. Without one a call waits for ever when no worker polls. A deadline
 * that passes says nothing about the outcome: repeat with the same ids to learn it.
 */
export function withDeadline<T>(
  client: Client,
  milliseconds: number,
  calls: () => Promise<T>,
): Promise<T> {
  return client.connection.withDeadline(Date.now() + milliseconds, calls);
}

/** True when the server answers within a second and serves the namespace. */
export async function temporalAnswers(client: Client): Promise<boolean> {
  try {
    const { namespace } = client.options;
    await withDeadline(client, 1_000, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } catch {
    return false;
  }
}
