// Preloaded into a child process: it dies by SIGKILL right after the commit of a named statement, or
// never hears of that commit, so that a test can kill it in the middle of several.
import pg from 'pg';

const hanging = process.env['HANG_AFTER_COMMIT_OF'];
const marker = process.env['CRASH_AFTER_COMMIT_OF'] ?? hanging;
if (!marker) throw new Error('Set CRASH_ or HANG_AFTER_COMMIT_OF to a part of the statement.');

type Query = (this: object, ...args: unknown[]) => unknown;
const marked = new WeakSet<object>();
const query = pg.Client.prototype.query as unknown as Query;

pg.Client.prototype.query = function crashing(this: object, ...args: unknown[]) {
  const first = args[0];
  const text = typeof first === 'string' ? first : (first as { readonly text?: string }).text;
  if (text?.includes(marker)) marked.add(this);
  const answer = query.apply(this, args);
  if (text === 'commit' && marked.has(this)) {
    // The server has said that it is durable; nobody else has heard of it yet.
    return (answer as Promise<unknown>).then(() =>
      hanging ? new Promise(() => undefined) : process.kill(process.pid, 'SIGKILL'),
    );
  }
  return answer;
} as unknown as typeof pg.Client.prototype.query;
