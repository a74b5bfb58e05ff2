// The erasure with a change that running ones do not survive: replay's test must see it.
import { sleep } from '@temporalio/workflow';
import { erasure as shipped } from '../../../workflows/erasure.ts';

export async function erasure(): Promise<unknown> {
  await sleep(1);
  return shipped();
}
