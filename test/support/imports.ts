// Uploads tables of vehicles, for tests of imports: good rows, files, and what became of them.
import { sql } from 'kysely';
import type { ApiAnswer, TestApi } from './api.ts';
import { CLASS } from './fleet.ts';

type Row = readonly (string | number)[];

export const HEAD = ['Plate', 'Class ID', 'branch_id', 'make', 'MODEL', 'model year', 'odometerKm'];

let tables = 0;

/** That many good rows; their plates begin with the prefix and a hyphen. */
export function goodRows(branchId: string, count: number) {
  tables += 1;
  const prefix = `T${tables}`;
  const rows = Array.from({ length: count }, (_, n): (string | number)[] => {
    return [`${prefix}-${n}`, CLASS, branchId, 'Škoda', 'Octavia', 2026, 10 + n];
  });
  return { prefix, rows };
}

export function csvOf(rows: readonly Row[], head: Row = HEAD): string {
  return [head, ...rows].map((cells) => cells.join(',')).join('\n');
}

type Options = { readonly type?: string; readonly key?: string; readonly token?: string };

/** `api` is asked for at each call, because it is there from `beforeAll` on only. */
export function importDesk(api: () => TestApi) {
  return {
    upload: (body: string | Buffer, options: Options = {}): Promise<ApiAnswer> => {
      const { type = 'text/csv', ...more } = options;
      return api().call('POST', '/api/v1/vehicles/imports', {
        body: typeof body === 'string' ? body : new Uint8Array(body),
        headers: { 'content-type': type },
        ...more,
      });
    },
    apply: (id: string, options: Options = {}): Promise<ApiAnswer> =>
      api().call('POST', `/api/v1/vehicles/imports/${id}/apply`, options),
    read: (id: string, options: Options = {}): Promise<ApiAnswer> =>
      api().call('GET', `/api/v1/vehicles/imports/${id}`, options),
    /** How many vehicles the rows of a prefix have become. */
    registered: async (prefix: string): Promise<number> => {
      const { rows } = await sql<{ n: number }>`select count(*)::int as n from vehicles.vehicle
        where plate like ${`${prefix}-%`}`.execute(api().database.owner);
      return rows[0]?.n ?? -1;
    },
  };
}

type Shown = { readonly row: number; readonly column: string | null; readonly problem: string };

export function problemsOf(answer: ApiAnswer) {
  return (answer.body.problems as readonly Shown[]).map((p) => [p.row, p.column, p.problem]);
}
