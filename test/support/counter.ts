// A counter in front of a running API: the calls that end-to-end tests make.
import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Db } from '../../db/client.ts';
import { openLegalEntity } from '../../db/commands/accounting.ts';
import { registerBranch, registerClass } from '../../db/commands/branches.ts';
import { createCustomer } from '../../db/commands/customers.ts';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { registerVehicle } from '../../db/commands/vehicles.ts';
import { DEMO_CHART } from '../../domain/ledger.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';

const PLANTER = 'system:test';

export type Answer = {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every route.
  readonly body: any;
  readonly headers: Headers;
};

export type Counter = {
  readonly get: (path: string) => Promise<Answer>;
  readonly post: (path: string, body: object, key?: string) => Promise<Answer>;
};

export function counter(base: string, token: string): Counter {
  const call = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await fetch(`${base}/api/v1${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}` },
    });
    const text = await answer.text();
    return { status: answer.status, text, body: JSON.parse(text), headers: answer.headers };
  };
  return {
    get: (path) => call(path, {}),
    post: (path, body, key = randomUUID()) =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
      }),
  };
}

export type Company = { readonly branchId: string; readonly customerId: string };

/** Books, a rate plan, a branch and a customer. */
export async function plantCompany(
  db: Db,
  branch: { readonly turnaroundMinutes?: number; readonly noShowGraceMinutes?: number } = {},
  customer: { readonly name?: string; readonly email?: string; readonly phone?: string } = {},
): Promise<Company> {
  const entity = {
    id: 'FC-AT',
    name: 'Test',
    functionalCurrency: 'EUR',
    timeZone: 'Europe/Vienna',
  };
  await openLegalEntity(db, PLANTER, entity, DEMO_CHART);
  await publishRatePlan(db, PLANTER, GOLD_1, '2020-01-01T00:00:00.000Z');
  await registerBranch(db, PLANTER, {
    id: 'VIE',
    name: 'Vienna',
    timeZone: entity.timeZone,
    entityId: entity.id,
    ...branch,
  });
  const customerId = uuidv7();
  await createCustomer(db, PLANTER, { id: customerId, name: 'Test Customer', ...customer });
  return { branchId: 'VIE', customerId };
}

/** A class with `count` vehicles at VIE; answers their ids. */
export async function plantVehicles(
  db: Db,
  classId: string,
  count: number,
): Promise<readonly string[]> {
  await registerClass(db, PLANTER, { id: classId, name: classId });
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const id = uuidv7();
    await registerVehicle(db, PLANTER, {
      id,
      plate: `${classId}-${n}`,
      classId,
      branchId: 'VIE',
      make: 'Test',
      model: 'Car',
      modelYear: 2026,
      odometerKm: 1_000,
    });
    ids.push(id);
  }
  return ids;
}

/** How many reservations got each answer. */
export function tally(answers: readonly Answer[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
