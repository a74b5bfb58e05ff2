// The API as one app: what every request passes, the routes, and the answer to everything else.
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { authenticated } from './auth/authenticate.ts';
import { LOGOUT_PATH, logoutRoutes } from './auth/backchannel-logout.ts';
import { countKeyUse } from './auth/key-uses.ts';
import { branchZones } from './branch-zones.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { docs } from './docs.ts';
import { onError } from './errors.ts';
import { acceptsJson, soundAddress } from './middleware/address.ts';
import { cacheable } from './middleware/cache.ts';
import { compress } from './middleware/compress.ts';
import { crossOrigin } from './middleware/cors.ts';
import { observe } from './middleware/observe.ts';
import { originOf } from './middleware/origin.ts';
import { limitCallers, limitPeers } from './middleware/rate-limit.ts';
import { noticeRoutes } from './payment-notices.ts';
import { ProblemError, problemResponse } from './problems.ts';
import type { ApiRouter } from './router.ts';
import { accountingRoutes } from './routes/accounting.ts';
import { agentRoutes } from './routes/agents.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { auditRoutes } from './routes/audit.ts';
import { availabilityRoutes } from './routes/availability.ts';
import { blocklistRoutes } from './routes/blocklist.ts';
import { branchDayRoutes } from './routes/branch-days.ts';
import { branchRoutes } from './routes/branches.ts';
import { cardPrepaymentRoutes } from './routes/card-prepayments.ts';
import { cashRoutes } from './routes/cash.ts';
import { classRoutes } from './routes/classes.ts';
import { counterRoutes } from './routes/counter.ts';
import { creditNoteRoutes } from './routes/credit-notes.ts';
import { customerRecordRoutes } from './routes/customer-records.ts';
import { customerRoutes } from './routes/customers.ts';
import { damageCaseRoutes } from './routes/damage-cases.ts';
import { depositRoutes } from './routes/deposits.ts';
import { disputeRoutes } from './routes/disputes.ts';
import { documentRoutes } from './routes/documents.ts';
import { drawerShiftRoutes } from './routes/drawer-shifts.ts';
import { driverRoutes } from './routes/drivers.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { flightRoutes } from './routes/flights.ts';
import { healthRoutes } from './routes/health.ts';
import { heldMoneyRoutes } from './routes/held-money.ts';
import { heldQuoteRoutes } from './routes/held-quotes.ts';
import { holdRoutes } from './routes/holds.ts';
import { importRoutes } from './routes/imports.ts';
import { inspectionRoutes } from './routes/inspections.ts';
import { lateChargeRoutes } from './routes/late-charges.ts';
import { licenceRoutes } from './routes/licences.ts';
import { meRoutes } from './routes/me.ts';
import { meterRoutes } from './routes/meters.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { onRequestRoutes } from './routes/on-request.ts';
import { openingHoursRoutes } from './routes/opening-hours.ts';
import { overbookingLimitRoutes } from './routes/overbooking-limits.ts';
import { partnerBookingRoutes } from './routes/partner-bookings.ts';
import { partnerRoutes } from './routes/partners.ts';
import { payerRoutes } from './routes/payers.ts';
import { prepaymentRoutes } from './routes/prepayments.ts';
import { privacyRoutes } from './routes/privacy.ts';
import { quoteRoutes } from './routes/quotes.ts';
import { ratePlanRoutes } from './routes/rate-plans.ts';
import { recallRoutes } from './routes/recalls.ts';
import { reconciliationRoutes } from './routes/reconciliation.ts';
import { relocationRoutes } from './routes/relocations.ts';
import { rentalAgentRoutes } from './routes/rental-agents.ts';
import { rentalBillingRoutes } from './routes/rental-billing.ts';
import { rentalCommandRoutes } from './routes/rental-commands.ts';
import { rentalRequestRoutes } from './routes/rental-requests.ts';
import { rentalSegmentRoutes } from './routes/rental-segments.ts';
import { rentalRoutes } from './routes/rentals.ts';
import { sessionKeyRoutes } from './routes/session-keys.ts';
import { shortageRoutes } from './routes/shortages.ts';
import { staffRoutes } from './routes/staff.ts';
import { stopSellRoutes } from './routes/stop-sells.ts';
import { tenderRoutes } from './routes/tenders.ts';
import { transferRoutes } from './routes/transfers.ts';
import { travelTimeRoutes } from './routes/travel-times.ts';
import { vehicleDocumentRoutes } from './routes/vehicle-documents.ts';
import { vehicleRecordRoutes } from './routes/vehicle-records.ts';
import { vehicleStatusRoutes } from './routes/vehicle-status.ts';
import { vehicleRoutes } from './routes/vehicles.ts';
import { violationImportRoutes } from './routes/violation-imports.ts';
import { violationTermsRoutes } from './routes/violation-terms.ts';
import { violationRoutes } from './routes/violations.ts';
import { walkUpRoutes } from './routes/walk-ups.ts';

const API = '/api/v1';
const PAGES = ['/openapi.json', '/docs/*'];
/** The description changes with a release; nobody needs it within minutes. */
const PAGES_KEPT_S = 300;

/** Answers `fetch`: tests and the server give it the same requests. */
export function createApp(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  app.onError(onError);
  app.use(observe(deps));
  app.use(soundAddress);
  const limited = limitPeers(deps);
  if (deps.corsOrigins?.length) app.use(`${API}/*`, crossOrigin(deps.corsOrigins));
  for (const path of [`${API}/*`, ...PAGES]) app.use(path, compress, limited);
  for (const path of PAGES) app.use(path, cacheable(PAGES_KEPT_S));
  app.use(`${API}/*`, acceptsJson);
  app.use(`${API}/*`, originOf(deps));
  app.use(`${API}/*`, authenticated(deps.authenticate));
  app.use(`${API}/*`, limitCallers(deps));
  if (deps.keyUses) app.use(`${API}/*`, countKeyUse(deps.keyUses, deps.now));
  app.use('/openapi.json', acceptsJson);
  for (const routes of apiRoutes(deps)) app.route(API, routes);
  if (deps.takeLogout) {
    app.use(LOGOUT_PATH, limited);
    app.route('/', logoutRoutes(deps.takeLogout));
  }
  app.route('/', noticeRoutes(deps));
  app.route('/', healthRoutes(deps));
  app.route('/', docs(app));
  app.notFound(unknownAddress(app));
  return app;
}

function apiRoutes(deps: ApiDeps): readonly ApiRouter[] {
  const zones = branchZones(deps.db);
  return [
    branchRoutes(deps),
    openingHoursRoutes(deps),
    classRoutes(deps),
    importRoutes(deps),
    vehicleRecordRoutes(deps),
    vehicleRoutes(deps),
    vehicleStatusRoutes(deps),
    vehicleDocumentRoutes(deps),
    holdRoutes(deps),
    recallRoutes(deps),
    customerRoutes(deps),
    customerRecordRoutes(deps),
    blocklistRoutes(deps),
    driverRoutes(deps),
    privacyRoutes(deps),
    licenceRoutes(deps),
    sessionKeyRoutes(deps),
    availabilityRoutes(deps),
    stopSellRoutes(deps),
    shortageRoutes(deps),
    overbookingLimitRoutes(deps),
    onRequestRoutes(deps),
    rentalRequestRoutes(deps, zones),
    rentalSegmentRoutes(deps, zones),
    fleetRoutes(deps),
    counterRoutes(deps),
    reconciliationRoutes(deps),
    transferRoutes(deps),
    travelTimeRoutes(deps),
    relocationRoutes(deps),
    quoteRoutes(deps),
    ratePlanRoutes(deps),
    heldQuoteRoutes(deps),
    walkUpRoutes(deps, zones),
    rentalRoutes(deps, zones),
    rentalCommandRoutes(deps, zones),
    flightRoutes(deps, zones),
    rentalBillingRoutes(deps),
    depositRoutes(deps),
    inspectionRoutes(deps),
    damageCaseRoutes(deps),
    disputeRoutes(deps),
    notificationRoutes(deps),
    violationImportRoutes(deps),
    violationRoutes(deps),
    lateChargeRoutes(deps),
    violationTermsRoutes(deps),
    accountingRoutes(deps),
    tenderRoutes(deps),
    drawerShiftRoutes(deps),
    cashRoutes(deps),
    branchDayRoutes(deps),
    heldMoneyRoutes(deps),
    creditNoteRoutes(deps),
    prepaymentRoutes(deps),
    cardPrepaymentRoutes(deps),
    payerRoutes(deps),
    ...[agentRoutes(deps), rentalAgentRoutes(deps)],
    documentRoutes(deps),
    meRoutes(deps),
    meterRoutes(deps),
    staffRoutes(deps),
    apiKeyRoutes(deps),
    partnerRoutes(deps),
    partnerBookingRoutes(deps),
    approvalRoutes(deps),
    auditRoutes(deps),
  ];
}

/** 405 with Allow where another method is offered, 404 elsewhere. */
function unknownAddress(app: OpenAPIHono<ApiEnv>): (c: Context<ApiEnv>) => Response {
  const offers = app.routes
    .filter((route) => route.method !== 'ALL')
    .map((route) => ({ method: route.method, pattern: asRegExp(route.path) }));
  return (c) => {
    const methods = offers.filter((o) => o.pattern.test(c.req.path)).map((o) => o.method);
    if (methods.length === 0) {
      return problemResponse(c, new ProblemError('not-found', 'There is nothing here.'));
    }
    const allow = new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods);
    return problemResponse(
      c,
      new ProblemError('method-not-allowed', `Offered here: ${[...allow].join(', ')}.`, {
        headers: { allow: [...allow].join(', ') },
      }),
    );
  };
}

function asRegExp(path: string): RegExp {
  const escaped = path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll(/:[^/]+/g, '[^/]+')}$`);
}
