/**
 * Models off the main thread: `expose` in the worker, `connect` on the page.
 *
 * @packageDocumentation
 */
export { type AnyWorker, type CallOptions, connect, type Connected } from "./connect.js";
export { expose } from "./expose.js";
