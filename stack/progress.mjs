// Shows what is being fetched, built or started and for how long: one moving line on a
// terminal, else a line now and then.
const quietSeconds = 15;
const running = new Map();
let timer;
let lastLine = Date.now();

/** A message that tells the user what to do; printed without a stack trace. */
export class StackError extends Error {}

export function say(line) {
  clear();
  process.stdout.write(`${line}\n`);
  lastLine = Date.now();
}

/** Runs `work` while showing `what`; says how long it took when that was long enough to wonder. */
export async function during(what, work) {
  const since = Date.now();
  running.set(what, since);
  if (!process.stdout.isTTY) announceLater(what);
  timer ??= setInterval(draw, process.stdout.isTTY ? 200 : 1000).unref();
  try {
    const result = await work();
    finish(what);
    const seconds = (Date.now() - since) / 1000;
    if (seconds >= 2) say(`  ${what}: ${seconds.toFixed(1)} s`);
    return result;
  } finally {
    finish(what);
  }
}

function announceLater(what) {
  setTimeout(() => {
    if (running.has(what)) say(`  ${what} ...`);
  }, 2000).unref();
}

function finish(what) {
  running.delete(what);
  clear();
  if (running.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function draw() {
  const parts = [...running].map(([what, since]) => `${what} ${elapsed(since)}`);
  if (process.stdout.isTTY) {
    const width = (process.stdout.columns ?? 80) - 4;
    process.stdout.write(`\r\x1b[2K  ${parts.join(', ').slice(0, width)}`);
  } else if (Date.now() - lastLine > quietSeconds * 1000) {
    say(`  still: ${parts.join(', ')}`);
  }
}

function elapsed(since) {
  const seconds = Math.floor((Date.now() - since) / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}:${String(seconds % 60).padStart(2, '0')}` : `${seconds} s`;
}

function clear() {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[2K');
}
