// `npm run clean`: stops what still runs of this clone and removes its data; `-- --cache` the
// shared cache too.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, isRoot, kinds, placesOf, systemDir } from '../places.mjs';
import { stopOrphans } from '../processes.mjs';
import { say } from '../progress.mjs';
import { endSupervisor, supervisorOf } from './running.mjs';

export async function clean(args) {
  for (const kind of kinds) {
    const holder = supervisorOf(kind);
    if (holder) await endSupervisor(holder);
    await stopOrphans(placesOf(kind).run);
  }
  const { home, systemOfClone } = placesOf('start');
  const doomed = [home];
  if (isRoot) doomed.push(systemOfClone);
  if (args.includes('--cache')) doomed.push(cacheDir);
  if (args.includes('--cache') && isRoot) doomed.push(join(systemDir, 'bin'));
  for (const dir of doomed) {
    rmSync(dir, { recursive: true, force: true });
    say(`removed ${dir}`);
  }
}
