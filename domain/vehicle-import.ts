// Importing vehicles and the like from a table: which column is which, what a row says twice, and the report.

/** A finding about one row; row 1 is the head, as people count in their spreadsheet. */
export type ImportProblem = {
  readonly row: number;
  /** As the file spells it; null when the whole row is meant. */
  readonly column: string | null;
  readonly severity: 'error' | 'warning';
  readonly problem: string;
};

export function problemOf(row: number, column: string | null, problem: string): ImportProblem {
  return { row, column, severity: 'error', problem };
}

export function hasErrors(problems: readonly ImportProblem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

/** People write the same name as Model year, modelYear or MODEL_YEAR. */
export function headerKey(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9.]/g, '');
}

export type Head = {
  /** In the order of the file's columns; null for one without a name. */
  readonly fields: readonly (string | null)[];
  readonly problems: readonly ImportProblem[];
};

/**
 * Finds the field of each column. `fields` are all that there are, `required` those that must be;
 * `noun` is what a row is.
 */
export function readHead(
  cells: readonly string[],
  fields: readonly string[],
  required: readonly string[],
  noun: string,
): Head {
  const known = new Map(fields.map((field) => [headerKey(field), field]));
  const problems: ImportProblem[] = [];
  const seen = new Set<string>();
  const found = cells.map((cell) => {
    if (cell.trim() === '') return null;
    const field = known.get(headerKey(cell));
    if (field === undefined) {
      problems.push(problemOf(1, cell, `is no column of ${noun}; there are ${fields.join(', ')}`));
    } else if (seen.has(field)) problems.push(problemOf(1, cell, 'is there twice'));
    else seen.add(field);
    return field ?? null;
  });
  for (const field of required.filter((name) => !seen.has(name))) {
    problems.push(problemOf(1, field, 'is missing'));
  }
  return { fields: found, problems };
}

/** One value in two rows: the later ones are named, with the row that was first. */
export function repeated<T>(
  rows: readonly { readonly row: number; readonly value: T }[],
  column: string,
  keyOf: (value: T) => string | null,
): readonly ImportProblem[] {
  const first = new Map<string, number>();
  const problems: ImportProblem[] = [];
  for (const { row, value } of rows) {
    const key = keyOf(value);
    if (key === null) continue;
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, row);
    else problems.push(problemOf(row, column, `is in row ${earlier} already`));
  }
  return problems;
}
