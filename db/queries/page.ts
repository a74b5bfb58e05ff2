// Lists by cursor: the last row's key is where the next page begins.

export type PageRequest = {
  /** The key of the last row already seen. */
  readonly after?: string | undefined;
  readonly limit: number;
};

export type Page<Row> = {
  readonly rows: readonly Row[];
  /** Whether another page follows the last of `rows`. */
  readonly more: boolean;
};

/** Makes a page of up to limit + 1 rows: the one too many only says that there is more. */
export function paged<Row>(found: readonly Row[], limit: number): Page<Row> {
  return { rows: found.slice(0, limit), more: found.length > limit };
}
