// The recall with a change that running ones do not survive: replay's test must see it.
import { sleep } from '@temporalio/workflow';
import { recall as shipped } from '../../../workflows/recall.ts';

export async function recall(): Promise<unknown> {
  await sleep(1);
  return shipped();
}
