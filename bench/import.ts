// How long a fleet of 10,000 vehicles takes to be checked and registered from one file.
import { sql } from 'kysely';
import { openDb } from '../db/client.ts';
import type { BenchContext, Figure, Goal } from './figure.ts';
import { openBenchApi } from './support/api.ts';
import { CLASSES, createCompany } from './support/company.ts';
import { progress, rounded } from './support/measure.ts';

const VEHICLES = 10_000;
const MAX_SECONDS = 30;
const TOOK = {
  figure: `${VEHICLES} rows of CSV, dry run and applied over HTTP; floor: one plain INSERT of them`,
  unit: 's',
  goal: `<= ${MAX_SECONDS} s`,
} as const;
export const goals: readonly Goal[] = [TOOK];

export async function run(ctx: BenchContext): Promise<Figure[]> {
  const owner = openDb(ctx.ownerUrl, { max: 1, limitMs: 0 });
  try {
    await createCompany(owner, { branches: 1, vehiclesPerPool: 1 });
    const floor = await timed(() =>
      owner.transaction().execute(async (tx) => {
        await sql`create temporary table plain (like vehicles.vehicle including all)
          on commit drop`.execute(tx);
        await sql`insert into plain
            (id, plate, class_id, branch_id, home_branch_id, make, model, model_year)
          select uuidv7(), 'P' || n, ${CLASSES[0]}, 'B01', 'B01', 'Make', 'Model', 2026
          from generate_series(1, ${VEHICLES}::int) n`.execute(tx);
      }),
    );
    const value = await importThem(ctx);
    const figures = { value: rounded(value), floor: rounded(floor, 3) };
    const ratio = rounded(value / floor);
    return [{ bench: 'import', ...TOOK, ...figures, ratio, met: value <= MAX_SECONDS }];
  } finally {
    await owner.destroy();
  }
}

async function importThem(ctx: BenchContext): Promise<number> {
  const api = await openBenchApi(ctx);
  const headers = { authorization: api.authorization };
  try {
    return await timed(async () => {
      const checked = await api.http.postText('/api/v1/vehicles/imports', table(), {
        ...headers,
        'content-type': 'text/csv',
        'idempotency-key': 'check',
      });
      if (checked.status !== 201) throw new Error(checked.body.slice(0, 300));
      const path = `/api/v1/vehicles/imports/${JSON.parse(checked.body).id}/apply`;
      const apply = { ...headers, 'idempotency-key': 'apply' };
      const applied = await api.http.postText(path, '', apply);
      if (applied.status !== 200) throw new Error(applied.body.slice(0, 300));
    });
  } finally {
    await api.close();
  }
}

function table(): string {
  const rows = Array.from(
    { length: VEHICLES },
    (_, n) => `I-${n},${CLASSES[n % CLASSES.length]},B01,Make,Model,2026,${n}`,
  );
  return ['plate,classId,branchId,make,model,modelYear,odometerKm', ...rows].join('\n');
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  progress(`import: ${rounded(seconds, 3)} s`);
  return seconds;
}
