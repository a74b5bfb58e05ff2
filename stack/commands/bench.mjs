// `npm run bench -- <name>`: a stack of its own, begun empty, then the benchmarks on it.
import { join } from 'node:path';
import { prepareServers } from '../app.mjs';
import { root } from '../places.mjs';
import { bringUp } from '../stack.mjs';
import { foreground } from './test.mjs';

/** Resolves with the exit code: 1 when a goal was not met. */
export async function bench(args) {
  const stack = await bringUp('bench');
  try {
    await prepareServers(stack);
    // With the log level of `npm start`: logging is part of what is measured.
    const env = { ...stack.env, DATABASE_OWNER_URL: stack.ownerUrl };
    return await foreground(join(root, 'bench/main.ts'), args, env);
  } finally {
    await stack.stop();
  }
}
