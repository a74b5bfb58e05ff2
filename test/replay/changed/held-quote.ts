// The held quote with a change that running ones do not survive: replay's test must see it.
import { sleep } from '@temporalio/workflow';
import { heldQuote as shipped } from '../../../workflows/held-quote.ts';

export async function heldQuote(): Promise<unknown> {
  await sleep(1);
  return shipped();
}
