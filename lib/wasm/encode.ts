/**
 * The bytes of WebAssembly modules, which are put together at run time: no .wasm file is shipped.
 *
 * @see https://webassembly.github.io/spec/core/binary/
 */

/** Bytes, nested as they were put together; flattened once, when a function is finished. */
export type Code = readonly (number | Code)[];

export function uleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return bytes;
}

export function sleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

/** An instruction on vectors. */
export const simd = (op: number): number[] => [0xfd, ...uleb(op)];

export const vector = (items: readonly Code[]): Code => [uleb(items.length), items];

export const text = (value: string): Code => [
  uleb(value.length),
  [...value].map((letter) => letter.charCodeAt(0)),
];

/** What is preceded by its length in bytes: sections and bodies of functions. */
export function sized(code: Code): Code {
  const content = flatten(code);
  return [uleb(content.length), content];
}

/** A module of these sections, by their numbers, in ascending order. */
export const moduleBytes = (
  sections: readonly [id: number, content: Code][],
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    flatten([
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      sections.map(([id, content]) => [id, sized(content)]),
    ]),
  );

function flatten(code: Code, into: number[] = []): number[] {
  for (const item of code) {
    if (typeof item === "number") into.push(item);
    else flatten(item, into);
  }
  return into;
}
