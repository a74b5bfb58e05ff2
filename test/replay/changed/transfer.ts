// The transfer with a change that running ones do not survive: replay's test must see it.
import { sleep } from '@temporalio/workflow';
import { transfer as shipped } from '../../../workflows/transfer.ts';

export async function transfer(): Promise<unknown> {
  await sleep(1);
  return shipped();
}
