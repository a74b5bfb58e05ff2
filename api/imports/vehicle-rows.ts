// The rows of a table as vehicles, each judged by the rules of the route that registers one.
import type { z } from '@hono/zod-openapi';
import { type ImportProblem, problemOf, readHead, repeated } from '../../domain/vehicle-import.ts';
import { vinWarning } from '../../domain/vin.ts';
import { NewVehicle } from '../schemas/vehicles.ts';

export type VehicleRows = {
  /** Those without a fault. */
  readonly vehicles: readonly { readonly row: number; readonly vehicle: NewVehicleBody }[];
  readonly problems: readonly ImportProblem[];
};
export type NewVehicleBody = z.infer<typeof NewVehicle>;

type Leaf = { readonly path: string; readonly isNumber: boolean; readonly isRequired: boolean };

const LEAVES = leavesOf(NewVehicle);
const FIELDS = LEAVES.map(({ path }) => path);
const REQUIRED = LEAVES.filter(({ isRequired }) => isRequired).map(({ path }) => path);
const NUMBERS = new Set(LEAVES.filter(({ isNumber }) => isNumber).map(({ path }) => path));

/** The first row is the head. Rows that are empty are left out, and still counted. */
export function vehicleRows(table: readonly (readonly string[])[]): VehicleRows {
  const [headCells = [], ...body] = table;
  const head = readHead(headCells, FIELDS, REQUIRED);
  if (head.problems.length > 0) return { vehicles: [], problems: head.problems };
  const spelling = new Map(head.fields.map((field, at) => [field, headCells[at] ?? '']));
  const vehicles: { row: number; vehicle: NewVehicleBody }[] = [];
  const problems: ImportProblem[] = [];
  for (const [index, cells] of body.entries()) {
    const row = index + 2;
    if (cells.every((cell) => cell.trim() === '')) continue;
    if (cells.slice(head.fields.length).some((cell) => cell.trim() !== '')) {
      problems.push(problemOf(row, null, 'has more cells than the head'));
    }
    const checked = NewVehicle.safeParse(bodyOf(head.fields, cells));
    if (checked.success) vehicles.push({ row, vehicle: checked.data });
    for (const issue of checked.error?.issues ?? []) {
      const path = issue.path.map(String).join('.');
      problems.push(problemOf(row, spelling.get(path) ?? (path || null), issue.message));
    }
  }
  return { vehicles, problems: [...problems, ...warnings(vehicles, spelling)] };
}

/** What the file says twice; the register has the last word on what it holds already. */
export function repeatedIn({ vehicles }: VehicleRows): readonly ImportProblem[] {
  const rows = vehicles.map(({ row, vehicle }) => ({ row, value: vehicle }));
  return [
    ...repeated(rows, 'plate', (v) =>
      [v.plateJurisdiction ?? '', v.plate.toUpperCase().replaceAll(/[\s.·•_-]/g, '')].join('/'),
    ),
    ...repeated(rows, 'vin', ({ vin }) => vin ?? null),
  ];
}

function warnings(
  vehicles: VehicleRows['vehicles'],
  spelling: ReadonlyMap<string | null, string>,
): readonly ImportProblem[] {
  return vehicles
    .filter(({ vehicle: { vin } }) => typeof vin === 'string' && vinWarning(vin) !== null)
    .map(({ row }) => ({
      row,
      column: spelling.get('vin') ?? 'vin',
      severity: 'warning',
      problem: 'has an unusual check digit',
    }));
}

/** `subRental.from` becomes a member of a member; an empty cell is one that was not told. */
function bodyOf(fields: readonly (string | null)[], cells: readonly string[]): object {
  const body: Record<string, unknown> = {};
  for (const [at, field] of fields.entries()) {
    const cell = cells[at]?.trim() ?? '';
    if (field === null || cell === '') continue;
    const [outer = '', inner] = field.split('.');
    const value = NUMBERS.has(field) && /^-?\d{1,15}(\.\d{1,6})?$/.test(cell) ? Number(cell) : cell;
    if (inner === undefined) body[outer] = value;
    else body[outer] = { ...(body[outer] as object | undefined), [inner]: value };
  }
  return body;
}

type Definition = {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
};

/** The members of a schema that hold one value each, those of its members included. */
function leavesOf(schema: z.ZodType, path = '', isRequired = true): readonly Leaf[] {
  const { type, innerType, in: taken, shape } = schema.def as unknown as Definition;
  if (shape !== undefined) {
    return Object.entries(shape).flatMap(([name, member]) =>
      leavesOf(member, path === '' ? name : `${path}.${name}`, isRequired),
    );
  }
  if (innerType !== undefined) return leavesOf(innerType, path, false);
  if (taken !== undefined) return leavesOf(taken, path, isRequired);
  return [{ path, isNumber: type === 'number', isRequired }];
}
