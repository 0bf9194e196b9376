/**
 * Determines the kind of a source, even if it is of another realm (frames, `node:vm`, test
 * runners).
 */
import { describe } from "../../arguments.js";
import type { ByteSource } from "../byte-source.js";
import type { CheckpointInput } from "./open.js";

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

export const isBytes = (input: unknown): input is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(input) || tagOf(input) === "ArrayBuffer";

/** A view of the bytes; a copy of shared memory, from which browsers decode no text. */
export function toBytes(input: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(input)) return new Uint8Array(input);
  const view = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  return tagOf(input.buffer) === "SharedArrayBuffer" ? new Uint8Array(view) : view;
}

export const isBlob = (input: unknown): input is Blob => ["Blob", "File"].includes(tagOf(input));

export const isResponse = (input: unknown): input is Response => tagOf(input) === "Response";

export const isLocation = (input: unknown): input is string | URL =>
  typeof input === "string" || tagOf(input) === "URL";

function isCustom(input: unknown): input is ByteSource {
  const { name, size, read } = (input ?? {}) as Partial<ByteSource>;
  const isSize = Number.isSafeInteger(size) && size! >= 0;
  return typeof name === "string" && isSize && typeof read === "function";
}

const isStream = (input: unknown): boolean =>
  tagOf(input) === "ReadableStream" ||
  (typeof input === "object" && input !== null && Symbol.asyncIterator in input);

/** @throws TypeError that says what came instead. */
export function checkInput(where: string, input: unknown): asserts input is CheckpointInput {
  const isKnown = [isBytes, isBlob, isResponse, isLocation, isCustom].some((is) => is(input));
  if (isKnown && input !== "") return;
  const got = input === "" ? "an empty string" : describe(input);
  throw new TypeError(
    `${where}: expected a path, URL, File, Blob, Response or bytes, got ${got}` +
      (isStream(input) ? "; a stream is taken as new Response(stream)" : ""),
  );
}
