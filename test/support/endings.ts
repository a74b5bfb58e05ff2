// What a test file opened and closes when its tests are done: its servers, processes, databases.
// Files of one process share these modules, so a hook at their top would serve only the first file.
const endings: (() => unknown)[] = [];

/** Runs `end` once the tests of the file are done; what began last ends first. */
export function whenDone(end: () => unknown): void {
  endings.push(end);
}

/** Ends everything, even when one of them cannot. Throws the first error. */
export async function endAll(): Promise<void> {
  const failures: unknown[] = [];
  for (const end of endings.splice(0).reverse()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
