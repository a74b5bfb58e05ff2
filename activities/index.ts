// Everything that workflows may ask for; one file a domain.
import { createDamageActivities } from './damage-cases.ts';
import type { WorkerDeps } from './deps.ts';
import { createPaymentActivities } from './payments.ts';
import { createPrivacyActivities } from './privacy.ts';
import { createQuoteActivities } from './quotes.ts';
import { createRecallActivities } from './recalls.ts';
import { createReconciliationActivities } from './reconciliation.ts';
import { createRentalActivities } from './rentals.ts';
import { createTransferActivities } from './transfers.ts';

export type Activities = ReturnType<typeof createActivities>;

export function createActivities(deps: WorkerDeps) {
  return {
    ...createRentalActivities(deps),
    ...createDamageActivities(deps),
    ...createPaymentActivities(deps),
    ...createPrivacyActivities(deps),
    ...createRecallActivities(deps),
    ...createQuoteActivities(deps),
    ...createReconciliationActivities(deps),
    ...createTransferActivities(deps),
  };
}
