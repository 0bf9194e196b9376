import { crc32 as ofBytes } from "../../lib/checkpoint/crc32.js";

/** The CRC-32 of bytes, or of a text's; `before` is that of what comes before them. */
export const crc32 = (data: Uint8Array | string, before = 0): number =>
  ofBytes(typeof data === "string" ? new TextEncoder().encode(data) : data, before);

export const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
