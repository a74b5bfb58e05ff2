// Values written into a statement's text, for messages that can have no parameters.

/** An array within an array is sent as its text: the statement casts it. */
export type Value = string | number | null | readonly Value[];

/** Quoted for PostgreSQL with its standard strings, where only the quote itself is special. */
export function literal(value: Value): string {
  if (value === null) return 'null';
  const text = Array.isArray(value) ? arrayText(value) : String(value);
  return `'${text.replaceAll("'", "''")}'`;
}

function arrayText(values: readonly Value[]): string {
  const elements = values.map((value) => {
    if (value === null || typeof value === 'number') return String(value);
    const text = typeof value === 'string' ? value : arrayText(value);
    return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  });
  return `{${elements.join(',')}}`;
}
