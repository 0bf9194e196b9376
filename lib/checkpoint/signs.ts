/** Recognises formats by the first bytes of a file. */

const latin1 = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

const beginsWith = (head: Uint8Array, ...bytes: readonly number[]): boolean =>
  bytes.every((byte, i) => head[i] === byte);

/** The length of the header, and an opening brace. */
export const looksLikeSafetensors = (head: Uint8Array): boolean =>
  /^[ \t\n\r]*\{/.test(latin1(head.subarray(8)));

/** The same with a length below 4 GB; no file of another format begins so. */
export const isSurelySafetensors = (head: Uint8Array): boolean =>
  looksLikeSafetensors(head) && head.subarray(4, 8).every((byte) => byte === 0);

/** An index of shards: text that begins with an opening brace. */
export const looksLikeIndex = (head: Uint8Array): boolean => /^\s*\{\s*("|\})/.test(latin1(head));

export const looksLikePickle = (head: Uint8Array): boolean => head[0] === 0x80;

export const looksLikeTar = (head: Uint8Array): boolean =>
  latin1(head.subarray(257, 262)) === "ustar";

/** A member, or the end of an empty archive. */
export const looksLikeZip = (head: Uint8Array): boolean =>
  beginsWith(head, 0x50, 0x4b, 3, 4) || beginsWith(head, 0x50, 0x4b, 5, 6);

export const looksLikeNpy = (head: Uint8Array): boolean =>
  beginsWith(head, 0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
