// The damage case with a change that running ones do not survive: replay's test must see it.
import { sleep } from '@temporalio/workflow';
import { damageCase as shipped } from '../../../workflows/damage-case.ts';

export async function damageCase(): Promise<unknown> {
  await sleep(1);
  return shipped();
}
