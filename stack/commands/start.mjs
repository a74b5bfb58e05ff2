// `npm start`: the whole system, in the foreground until Ctrl-C. `-- --servers` starts the four
// servers only.
import { appParts, loadDemo, prepareServers } from '../app.mjs';
import { writeSecretFile } from '../places.mjs';
import { say } from '../progress.mjs';
import { bringUp } from '../stack.mjs';
import { table } from '../table.mjs';

export async function start(args) {
  const since = Date.now();
  const serversOnly = args.includes('--servers');
  say('Forecourt: starting');
  const stack = await bringUp('start');
  stack.onSignal = () => stopAloud(stack);
  try {
    if (serversOnly) await stack.kafka;
    else await startApp(stack);
  } catch (error) {
    await stack.stop();
    throw error;
  }
  tellOthers(stack);
  say(`\n${table(stack.rows)}\n`);
  if (stack.demoUsers) say(`${stack.demoUsers}\n`);
  say(`Ready after ${seconds(since)} s. Logs: ${stack.places.logs}. Ctrl-C stops everything.`);
  // Lives until a signal; the timer keeps the process alive even with nothing but other
  // people's servers.
  setInterval(() => {}, 60_000);
}

async function startApp(stack) {
  const since = Date.now();
  await prepareServers(stack);
  stack.demoUsers = await loadDemo(stack);
  const address = 'schema, namespace, topics, demo company';
  const took = (Date.now() - since) / 1000;
  stack.rows.push({ name: 'Set-up', address, state: 'done', how: '-', seconds: took });
  await Promise.all(appParts(stack).map((part) => stack.start(part)));
}

/** What `npm run demo` and `npm run dead-letters` need to reach this system. */
function tellOthers(stack) {
  const apiUrl = `http://127.0.0.1:${stack.ports.api}`;
  const env = { ...stack.env, FORECOURT_API: apiUrl, DEMO_PASSWORD: stack.demoPassword };
  writeSecretFile(
    stack.places.stackFile,
    JSON.stringify({ pid: process.pid, apiUrl, env }, null, 2),
  );
}

async function stopAloud(stack) {
  const since = Date.now();
  say('Stopping ...');
  await stack.stop();
  say(`Stopped in ${seconds(since)} s.`);
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1);
}
