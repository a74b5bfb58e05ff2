// Everything that workflows may ask for; one file a domain.
import type { ActivityDeps } from './deps.ts';
import { createPrivacyActivities } from './privacy.ts';
import { createRentalActivities } from './rentals.ts';

export type Activities = ReturnType<typeof createActivities>;

export function createActivities(deps: ActivityDeps) {
  return { ...createRentalActivities(deps), ...createPrivacyActivities(deps) };
}
