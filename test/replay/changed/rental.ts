// The rental with a change that running ones do not survive: replay's test must see it.
import { sleep } from '@temporalio/workflow';
import { type RentalInput, rental as shipped } from '../../../workflows/rental.ts';

export async function rental(input: RentalInput): Promise<unknown> {
  await sleep(1);
  return shipped(input);
}
