// Loaded once a worker, before any workflow: how deep the stack traces of workflows are.

/**
 * The SDK keeps a stack trace for every promise that waits, which the Web UI shows as the call
 * stack; a reservation makes a hundred of them, and each frame costs a look into the source map. Two
 * frames are the SDK's own, the next four say where in our code it is.
 */
Error.stackTraceLimit = 6;
