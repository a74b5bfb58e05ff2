// Loads the demo company into an empty database: books, rate plan, branches, vehicles and people.
import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { createPasswords } from '../api/auth/passwords.ts';
import { base32 } from '../api/auth/totp.ts';
import { type Db, openDb } from '../db/client.ts';
import { openLegalEntity } from '../db/commands/accounting.ts';
import { registerBranch, registerClass } from '../db/commands/branches.ts';
import { createCustomer } from '../db/commands/customers.ts';
import { publishRatePlan } from '../db/commands/rate-plans.ts';
import { type NewViolationTerms, setViolationTerms } from '../db/commands/violation-terms.ts';
import { openEnvelope } from '../db/envelope.ts';
import { listCustomers } from '../db/queries/rentals.ts';
import { branchById } from '../db/queries/vehicles.ts';
import { violationTermsOf } from '../db/queries/violations.ts';
import { DEMO_CHART } from '../domain/ledger.ts';
import { GOLD_1 } from '../domain/rate-plan.ts';
import type { ObjectStore } from '../storage/object-key.ts';
import { objectStoreFrom } from '../storage/object-store.ts';
import { loadUpgrades, loadVehicles } from './demo-fleet.ts';
import { demoReport, loadDemoUsers } from './demo-users.ts';

const LOADER = 'system:demo-loader';

const ENTITY = {
  id: 'FC-AT',
  name: 'Forecourt Demo GmbH',
  functionalCurrency: 'EUR',
  timeZone: 'Europe/Vienna',
} as const;

/** Fees of the demo company; cards are charged for 90 days, as decisions.md 17 has it. */
const VIOLATION_TERMS: NewViolationTerms = {
  entityId: ENTITY.id,
  currency: ENTITY.functionalCurrency,
  fineFeeMinor: 2_500,
  tollFeeMinor: 500,
  vatRateBp: 2_000,
  tollTreatment: 'taxable',
  cardWindowDays: 90,
  sender: `${ENTITY.name}\nFlughafenstraße 1, 1300 Wien`,
};

const BRANCHES = [
  { id: 'VIE', name: 'Vienna Airport' },
  { id: 'GRZ', name: 'Graz Main Station' },
  { id: 'SZG', name: 'Salzburg City' },
] as const;

const CLASSES = [
  { id: 'ECMR', name: 'Economy' },
  { id: 'CDMR', name: 'Compact' },
  { id: 'IDAH', name: 'Intermediate hybrid' },
  { id: 'SFAR', name: 'Standard SUV' },
] as const;

/**
 * Loads nothing when a customer exists, since that is written last: a load that broke off is
 * continued. Answers whether it loaded.
 */
export async function loadDemo(db: Db, objects: ObjectStore): Promise<boolean> {
  if ((await listCustomers(db, LOADER, { limit: 1 })).rows.length > 0) return false;
  await openLegalEntity(db, LOADER, ENTITY, DEMO_CHART);
  await publishRatePlan(db, LOADER, GOLD_1);
  for (const { id, name } of CLASSES) await registerClass(db, LOADER, { id, name });
  await loadUpgrades(db);
  await loadViolationTerms(db);
  for (const branch of BRANCHES) {
    await registerBranch(db, LOADER, {
      ...branch,
      timeZone: ENTITY.timeZone,
      entityId: ENTITY.id,
    });
    await loadVehicles(db, objects, branch.id);
  }
  await createCustomer(db, LOADER, { id: uuidv7(), name: 'Demo Customer', language: 'en' });
  return true;
}

/** Without them no toll and no fine is charged; a load that is continued has them already. */
async function loadViolationTerms(db: Db): Promise<void> {
  if ((await violationTermsOf(db, LOADER, ENTITY.id)) !== undefined) return;
  await setViolationTerms(db, LOADER, 0, VIOLATION_TERMS);
}

/** Made when it is not given: typed by hand, so without what looks alike. */
function drawnPassword(): string {
  return (base32(randomBytes(10)).match(/.{4}/g) ?? []).join('-').toLowerCase();
}

/** Demo people are known to everybody: in production there are none. */
async function loadUsers(db: Db): Promise<void> {
  const { env } = process;
  if (env['NODE_ENV'] === 'production') return;
  const password = env['DEMO_PASSWORD'] ?? drawnPassword();
  const loaded = await loadDemoUsers(db, {
    password,
    passwords: createPasswords(),
    envelope: openEnvelope(env['DATA_KEYS'] ?? ''),
    now: new Date().toISOString(),
  });
  if (loaded) console.log(demoReport(password));
}

/** Not a real one, into whose data nothing was loaded. */
async function isDemoCompany(db: Db): Promise<boolean> {
  const [{ id, name }] = BRANCHES;
  const branch = await branchById(db, id);
  return branch?.name === name && branch.entity_id === ENTITY.id;
}

if (import.meta.main) {
  const db = openDb(process.env['DATABASE_URL'] ?? '');
  try {
    const objects = await objectStoreFrom(process.env);
    if (!(await loadDemo(db, objects))) console.log('data present, nothing loaded');
    if (await isDemoCompany(db)) await loadUsers(db);
  } finally {
    await db.destroy();
  }
}
