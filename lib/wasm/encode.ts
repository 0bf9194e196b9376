/**
 * The bytes of WebAssembly modules, which are put together at run time: no .wasm file is shipped.
 *
 * @see https://webassembly.github.io/spec/core/binary/
 */

/** Bytes, nested as they were put together; brought side by side once, when a function is finished. */
export type Code = readonly (number | Code)[] | Uint8Array;

export function uleb(value: number): number[] {
  if (value >>> 0 < 0x80) return [value];
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

const INSTRUCTIONS: (readonly number[])[] = [];

/** An instruction on vectors. */
export const simd = (op: number): readonly number[] => (INSTRUCTIONS[op] ??= [0xfd, ...uleb(op)]);

export const vector = (items: readonly Code[]): Code => [uleb(items.length), items];

export const text = (value: string): Code => [
  uleb(value.length),
  [...value].map((letter) => letter.charCodeAt(0)),
];

/** What is preceded by its length in bytes: sections and bodies of functions. */
export function sized(code: Code): Code {
  const content = bytesOf(code);
  return [uleb(content.length), content];
}

/** A module of these sections, by their numbers, in ascending order. */
export const moduleBytes = (
  sections: readonly [id: number, content: Code][],
): Uint8Array<ArrayBuffer> =>
  bytesOf([
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    sections.map(([id, content]) => [id, sized(content)]),
  ]);

/** Where bytes are brought side by side. */
let room = new Uint8Array(1 << 14);

function bytesOf(code: Code): Uint8Array<ArrayBuffer> {
  const end = write(code, 0); // before `room` is read: it may be another then
  return room.slice(0, end);
}

/** Writes code from a place in the room on, and gives the place behind it. */
function write(code: Code, start: number): number {
  let at = start;
  makeRoom(at + code.length);
  if (code instanceof Uint8Array) {
    room.set(code, at);
    return at + code.length;
  }
  for (let i = 0; i < code.length; i += 1) {
    const item = code[i]!;
    if (typeof item !== "number") at = write(item, at);
    else {
      makeRoom(at + 1);
      room[at++] = item;
    }
  }
  return at;
}

function makeRoom(bytes: number): void {
  if (bytes <= room.length) return;
  const larger = new Uint8Array(2 * bytes);
  larger.set(room);
  room = larger;
}
