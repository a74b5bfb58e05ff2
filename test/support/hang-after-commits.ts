// Preloaded into a child process: it never hears of the commits that a test named, while it ran.
import { readdirSync, readFileSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';

const folder = process.env['HANG_AFTER_COMMITS_IN'] ?? '';
if (folder === '') throw new Error('Set HANG_AFTER_COMMITS_IN to a folder.');

type Query = (this: object, ...args: unknown[]) => unknown;
/** A part of the statement, and of its parameters. */
type Point = { readonly file: string; readonly statement: string; readonly about: string };

const query = pg.Client.prototype.query as unknown as Query;
/** Which point a connection's transaction came to. */
const reached = new WeakMap<object, Point>();
/** What stands still: Temporal's own retries would go on with it on a busy machine. */
const still: string[] = [];

/**
 * A file a point, of two lines. It is gone when the server has said that the transaction is durable,
 * and nobody else has heard of it.
 */
pg.Client.prototype.query = function hanging(this: object, ...args: unknown[]) {
  const first = args[0];
  const text = typeof first === 'string' ? first : (first as { readonly text?: string }).text;
  const { values = args[1] } = first as { readonly values?: unknown };
  const said = `${text} ${String(values)}`;
  if (still.some((about) => said.includes(about))) {
    return Promise.reject(new Error('Nothing goes on with it in this process.'));
  }
  if (text?.startsWith('begin')) reached.delete(this);
  const found = points().find(({ statement, about }) =>
    [statement, about].every((part) => said.includes(part)),
  );
  if (found !== undefined) reached.set(this, found);
  const answer = query.apply(this, args);
  const point = reached.get(this);
  if (text !== 'commit' || point === undefined) return answer;
  return (answer as Promise<unknown>).then(() => {
    still.push(point.about);
    unlinkSync(point.file);
    return new Promise(() => undefined);
  });
} as unknown as typeof pg.Client.prototype.query;

function points(): readonly Point[] {
  return readdirSync(folder).map((name) => {
    const file = path.join(folder, name);
    const [statement = '', about = ''] = readFileSync(file, 'utf8').split('\n');
    return { file, statement, about };
  });
}
