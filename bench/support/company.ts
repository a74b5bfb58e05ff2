// A company of equal pools: so many branches, classes, and vehicles of each class at each branch.
import { sql } from 'kysely';
import type { Db } from '../../db/client.ts';

export const CLASSES = ['ECMR', 'CDMR', 'IDMR', 'SDAR', 'FVAR'] as const;

export type Company = { readonly branches: number; readonly vehiclesPerPool: number };

export type Pool = { readonly branchId: string; readonly classId: string };

/** Written by the owner: the register's own commands are not what is measured. */
export async function createCompany(owner: Db, company: Company): Promise<void> {
  await sql`insert into vehicles.branch (id, name, time_zone, entity_id)
    select ${branchName()}, 'Branch ' || n, 'Europe/Vienna', 'FC-AT'
    from generate_series(1, ${company.branches}::int) n`.execute(owner);
  await sql`insert into vehicles.class (id, name)
    select id, 'Class ' || id from unnest(${[...CLASSES]}::text[]) id`.execute(owner);
  await sql`insert into vehicles.vehicle
      (id, plate, class_id, branch_id, make, model, model_year)
    select uuidv7(), b.id || '-' || c.id || '-' || n, c.id, b.id, 'Make', 'Model', 2026
    from vehicles.branch b cross join vehicles.class c
      cross join generate_series(1, ${company.vehiclesPerPool}::int) n`.execute(owner);
  await sql`vacuum analyze vehicles.vehicle`.execute(owner);
}

function branchName() {
  return sql<string>`'B' || lpad(n::text, 2, '0')`;
}

export function pools(company: Company): readonly Pool[] {
  return Array.from({ length: company.branches }, (_, index) => {
    const branchId = `B${String(index + 1).padStart(2, '0')}`;
    return CLASSES.map((classId) => ({ branchId, classId }));
  }).flat();
}
