/**
 * Encodes WebAssembly modules at run time, so that no .wasm file is shipped.
 *
 * @see https://webassembly.github.io/spec/core/binary/
 */

/**
 * A list of bytes. `join` concatenates such lists by built-in functions, which are fast even before
 * the engine has optimised our code.
 */
export type Code = readonly number[];

/** A nested list, as code is written. */
export type Nested = readonly (number | Nested)[];

export const flat = (code: Nested): Code => (code as unknown[]).flat(Infinity) as number[];

export const join = (...codes: readonly Code[]): Code => ([] as number[]).concat(...codes);

/** An unsigned number as LEB128: seven bits per byte, the lowest first. */
export const uleb = (value: number): number[] =>
  value >>> 7 ? [(value & 0x7f) | 0x80, ...uleb(value >>> 7)] : [value];

/** A signed number as LEB128: bit 6 of the last byte is the sign. */
export const sleb = (value: number): number[] =>
  (value << 25) >> 25 === value ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...sleb(value >> 7)];

/** A vector instruction. */
export const simd = (op: number): Code => [0xfd, ...uleb(op)];

export const bytesOf = ({ buffer }: Float32Array | Int32Array): Code =>
  Array.from(new Uint8Array(buffer));

export const vector = (items: readonly Code[]): Code => join(uleb(items.length), ...items);

export const text = (value: string): Code => sized(Array.from(new TextEncoder().encode(value)));

/** Code preceded by its length in bytes, as sections and function bodies are. */
export const sized = (code: Code): Code => join(uleb(code.length), code);

/** A module with the given sections by number, in ascending order. */
export const moduleBytes = (
  sections: readonly [id: number, content: Code][],
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    join(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...sections.map(([id, content]) => join([id], sized(content))),
    ),
  );
