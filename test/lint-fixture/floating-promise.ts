// Proves that the promise rule sees what it is there for: the check demands that this is reported.
import { proxyActivities } from '@temporalio/workflow';

type Activities = { readonly takeBack: (rentalId: string) => Promise<void> };

const { takeBack } = proxyActivities<Activities>({ startToCloseTimeout: '10 s' });

/** Ends before the activity does: its failure would be lost. */
export async function forgetful(rentalId: string): Promise<void> {
  takeBack(rentalId);
}
