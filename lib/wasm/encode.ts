/**
 * The bytes of WebAssembly modules, which are put together at run time: no .wasm file is shipped.
 *
 * @see https://webassembly.github.io/spec/core/binary/
 */

/** Bytes. Lists of numbers are joined by the engine itself, which takes no time before it knows a function well. */
export type Code = readonly number[];

/** The same as it is written down. */
export type Nested = readonly (number | Nested)[];

export const flat = (code: Nested): Code => (code as unknown[]).flat(Infinity) as number[];

export const join = (...codes: readonly Code[]): Code => ([] as number[]).concat(...codes);

/** Seven bits a byte, the lowest first, of an unsigned number. */
export const uleb = (value: number): number[] =>
  value >>> 7 ? [(value & 0x7f) | 0x80, ...uleb(value >>> 7)] : [value];

/** The same of a signed one: bit 6 of the last byte is its sign. */
export const sleb = (value: number): number[] =>
  (value << 25) >> 25 === value ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...sleb(value >> 7)];

/** An instruction on vectors. */
export const simd = (op: number): Code => [0xfd, ...uleb(op)];

export const bytesOf = ({ buffer }: Float32Array | Int32Array): Code =>
  Array.from(new Uint8Array(buffer));

export const vector = (items: readonly Code[]): Code => join(uleb(items.length), ...items);

export const text = (value: string): Code => sized(Array.from(new TextEncoder().encode(value)));

/** What is preceded by its length in bytes: sections and bodies of functions. */
export const sized = (code: Code): Code => join(uleb(code.length), code);

/** A module of these sections, by their numbers, in ascending order. */
export const moduleBytes = (
  sections: readonly [id: number, content: Code][],
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    join(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...sections.map(([id, content]) => join([id], sized(content))),
    ),
  );
