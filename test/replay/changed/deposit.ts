// The deposit with a change that running ones do not survive: replay's test must see it.
import { sleep } from '@temporalio/workflow';
import { type DepositInput, deposit as shipped } from '../../../workflows/deposit.ts';

export async function deposit(input: DepositInput): Promise<unknown> {
  await sleep(1);
  return shipped(input);
}
