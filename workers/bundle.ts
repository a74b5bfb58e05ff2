// Bundles the workflows for the sandbox: the one way, for the product, its tests and replay.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleWorkflowCode, DefaultLogger, type Logger } from '@temporalio/worker';
import { failureConverterPath } from '../temporal-config/connection.ts';

const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export type BundleOptions = {
  /** Another entry than the product's: tests of replay use one. */
  readonly workflowsPath?: string;
  readonly logger?: Logger;
};

/**
 * The code of all workflows, tracing interceptors included. Takes some seconds. Ours are loaded
 * once a worker and not once a workflow: none of them keeps anything in its module, as
 * test/domain/workflow-modules.test.ts proves. Tracing's do, so they are each workflow's own.
 */
export async function bundleWorkflows(options: BundleOptions = {}): Promise<string> {
  const workflowsPath = options.workflowsPath ?? here('../workflows/index.ts');
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    preloadModules: [
      here('../workflows/lib/stack-traces.ts'),
      workflowsPath,
      '@opentelemetry/semantic-conventions',
    ],
    workflowInterceptorModules: [here('../workflows/lib/interceptors.ts')],
    failureConverterPath,
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  return code;
}

/** Writes a bundle to `path`, for processes that share it. */
export async function writeBundle(path: string, options: BundleOptions = {}): Promise<void> {
  const code = await bundleWorkflows(options);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, code);
}

/**
 * The same in a process of its own: a bundler's memory would stay with a worker for good. Answers
 * the bundle's code.
 */
export async function bundleApart(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [here('./bundle.ts')], {
    maxBuffer: MAX_BUNDLE_BYTES,
  });
  return stdout;
}

if (import.meta.main) {
  process.stdout.write(await bundleWorkflows({ logger: new DefaultLogger('ERROR') }));
}
