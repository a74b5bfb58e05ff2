// Prints what runs as one table: each part, its address, its state, where it came from, how
// long it took.

/**
 * @param {readonly {name: string, address: string, state: string, how: string, seconds:
 * number}[]} rows
 * @returns {string}
 */
export function table(rows) {
  const head = ['part', 'address', 'state', 'found', 'seconds'];
  const cells = rows.map((row) => [
    row.name,
    row.address,
    row.state,
    row.how,
    row.seconds.toFixed(1),
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((row) => row[i].length)));
  const line = (row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(head), rule, ...cells.map(line)].map((text) => `  ${text}`).join('\n');
}
