// Moves messages and stack traces of failures into a payload, so that the codec encrypts them too.
import { DefaultFailureConverter } from '@temporalio/common';

/** Loaded by path, in processes and in the workflow bundle: its name is the SDK's. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
