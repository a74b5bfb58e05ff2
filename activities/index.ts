// Everything that workflows may ask for; one file a domain.
import type { Db } from '../db/client.ts';
import { createPrivacyActivities } from './privacy.ts';
import { createRentalActivities } from './rentals.ts';

export type ActivityDeps = { readonly db: Db };
export type Activities = ReturnType<typeof createActivities>;

export function createActivities(deps: ActivityDeps) {
  return { ...createRentalActivities(deps), ...createPrivacyActivities(deps) };
}
