// A workflow's history as somebody with the keys reads it: every payload in it, decrypted.
import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { createPayloadCodec, type PayloadKey } from '../../temporal-config/payload-codec.ts';

/** The text of all payloads of a workflow's history, wherever they stand in its events. */
export async function decryptedHistory(
  client: Client,
  workflowId: string,
  keys: readonly PayloadKey[],
): Promise<string> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  const decoded = await createPayloadCodec(keys).decode(payloadsIn(history));
  const text = new TextDecoder();
  return decoded.map((payload) => text.decode(payload.data ?? undefined)).join('\n');
}

function payloadsIn(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('metadata' in value && 'data' in value) return [value as Payload];
  return Object.values(value).flatMap(payloadsIn);
}
