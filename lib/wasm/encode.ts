/**
 * The bytes of WebAssembly modules, which are put together at run time: no .wasm file is shipped.
 *
 * @see https://webassembly.github.io/spec/core/binary/
 */

/** Bytes, nested as they were put together; brought side by side once, when a module is finished. */
export type Code = readonly (number | Code)[] | Uint8Array;

/** Seven bits a byte, the lowest first, of an unsigned number. */
export const uleb = (value: number): number[] =>
  value >>> 7 ? [(value & 0x7f) | 0x80, ...uleb(value >>> 7)] : [value];

/** The same of a signed one: bit 6 of the last byte is its sign. */
export const sleb = (value: number): number[] =>
  (value << 25) >> 25 === value ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...sleb(value >> 7)];

/** An instruction on vectors. */
export const simd = (op: number): Code => [0xfd, uleb(op)];

export const vector = (items: readonly Code[]): Code => [uleb(items.length), items];

export const text = (value: string): Code => sized(new TextEncoder().encode(value));

/** Begins what is preceded by its length. */
const SIZED = -1;

/** What is preceded by its length in bytes: sections and bodies of functions. */
export const sized = (code: Code): Code => [SIZED, code];

/** A module of these sections, by their numbers, in ascending order. */
export const moduleBytes = (
  sections: readonly [id: number, content: Code][],
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    write([
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      sections.map(([id, content]) => [id, sized(content)]),
    ]),
  );

function write(code: Code, bytes: number[] = []): number[] {
  const start = bytes.length;
  for (let i = 0; i < code.length; i += 1) {
    const item = code[i]!;
    if (typeof item !== "number") write(item, bytes);
    else if (item !== SIZED) bytes.push(item);
  }
  if (code[0] === SIZED) bytes.splice(start, 0, ...uleb(bytes.length - start));
  return bytes;
}
