// The rows of a table as bodies of a route, each judged by the schema that the route itself has.
import type { z } from '@hono/zod-openapi';
import { type ImportProblem, problemOf, readHead } from '../../domain/vehicle-import.ts';

export type TableRows<Body> = {
  /** Those without a fault. */
  readonly good: readonly { readonly row: number; readonly body: Body }[];
  readonly problems: readonly ImportProblem[];
  /** How the head of the file writes each field. */
  readonly spelling: ReadonlyMap<string | null, string>;
};

type Leaf = { readonly path: string; readonly isNumber: boolean; readonly isRequired: boolean };

/**
 * Reads tables whose columns are the members of `schema`; `noun` is what a row is, for people. The
 * first row is the head. Rows that are empty are left out, and still counted.
 */
export function rowReader<S extends z.ZodType>(schema: S, noun: string) {
  const leaves = leavesOf(schema);
  const fields = leaves.map(({ path }) => path);
  const required = leaves.filter(({ isRequired }) => isRequired).map(({ path }) => path);
  const numbers = new Set(leaves.filter(({ isNumber }) => isNumber).map(({ path }) => path));
  return (table: readonly (readonly string[])[]): TableRows<z.infer<S>> => {
    const [headCells = [], ...rows] = table;
    const head = readHead(headCells, fields, required, noun);
    const spelling = new Map(head.fields.map((field, at) => [field, headCells[at] ?? '']));
    if (head.problems.length > 0) return { good: [], problems: head.problems, spelling };
    const good: { row: number; body: z.infer<S> }[] = [];
    const problems: ImportProblem[] = [];
    for (const [index, cells] of rows.entries()) {
      const row = index + 2;
      if (cells.every((cell) => cell.trim() === '')) continue;
      if (cells.slice(head.fields.length).some((cell) => cell.trim() !== '')) {
        problems.push(problemOf(row, null, 'has more cells than the head'));
      }
      const checked = schema.safeParse(bodyOf(head.fields, cells, numbers));
      if (checked.success) good.push({ row, body: checked.data });
      for (const issue of checked.error?.issues ?? []) {
        const path = issue.path.map(String).join('.');
        problems.push(problemOf(row, spelling.get(path) ?? (path || null), issue.message));
      }
    }
    return { good, problems, spelling };
  };
}

/** `subRental.from` becomes a member of a member; an empty cell is one that was not told. */
function bodyOf(
  fields: readonly (string | null)[],
  cells: readonly string[],
  numbers: ReadonlySet<string>,
): object {
  const body: Record<string, unknown> = {};
  for (const [at, field] of fields.entries()) {
    const cell = cells[at]?.trim() ?? '';
    if (field === null || cell === '') continue;
    const [outer = '', inner] = field.split('.');
    const value = numbers.has(field) && /^-?\d{1,15}(\.\d{1,6})?$/.test(cell) ? Number(cell) : cell;
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
