// Our modules are loaded once for all workflows of a worker: what one kept would leak into others.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const IMPORT = /^(?:import|export) (?!type )[^;]*?from '(\.[^']+)';/gm;
/** The code is formatted: what stands at the beginning of a line is outside of all functions. */
const KEPT = /^(?:export )?(?:(?:let|var) (\w+)|const (\w+)[^=]*= new )/gm;

/** Every file of ours that a file's imports lead to, types left out. */
function reached(file: URL, seen = new Map<string, string>()): ReadonlyMap<string, string> {
  const path = fileURLToPath(file);
  if (seen.has(path)) return seen;
  const text = readFileSync(file, 'utf8');
  seen.set(path, text);
  for (const [, target = ''] of text.matchAll(IMPORT)) reached(new URL(target, file), seen);
  return seen;
}

function kept(text: string): readonly string[] {
  return [...text.matchAll(KEPT)].map(([, variable, made]) => variable ?? made ?? '');
}

test('no module of a workflow keeps anything', () => {
  const files = reached(new URL('../../workflows/index.ts', import.meta.url));
  expect(files.size).toBeGreaterThan(30);
  const found = [...files].map(([path, text]) => ({ path, names: kept(text) }));
  expect(found.filter(({ names }) => names.length > 0)).toEqual([]);
});

test('what a module would keep is seen', () => {
  const inside = 'export function f() {\n  let none = 1;\n  return new Map([[none, 1]]);\n}\n';
  const outside = 'let a = 1;\nexport const b: Map<string, string> = new Map();\nconst c = 2;\n';
  expect(kept(inside + outside)).toEqual(['a', 'b']);
});
