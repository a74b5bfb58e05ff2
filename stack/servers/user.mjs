// The operating-system user that PostgreSQL runs as when the stack is started by root.
import { readFileSync } from 'node:fs';
import { requireTool, run } from '../fetch.mjs';
import { systemDir } from '../places.mjs';

const name = 'forecourt';

/** Its numbers; the user is made when it is missing. It owns its data and nothing else. */
export async function unprivilegedUser() {
  const found = lookUp();
  if (found) return found;
  const why = 'PostgreSQL does not run as root and gets a user of its own';
  requireTool('useradd', why, `Make a system user named ${name}.`);
  const args = ['--system', '--user-group', '--no-create-home', '--home-dir', systemDir];
  await run('useradd', [...args, '--shell', '/usr/sbin/nologin', name], { why });
  return lookUp();
}

function lookUp() {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const fields = lines.map((line) => line.split(':')).find(([user]) => user === name);
  return fields && { uid: Number(fields[2]), gid: Number(fields[3]) };
}
