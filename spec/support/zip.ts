/** ZIP archives whose members are stored as they are, without checksums. */
import { bytesSource } from "../../lib/checkpoint/byte-source.js";
import { ZipArchive } from "../../lib/checkpoint/zip.js";
import { joinBytes } from "./bytes.js";

export async function readZip(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const archive = await ZipArchive.open(bytesSource(bytes));
  const members = [...archive.members.values()];
  const read = members.map(async (member) => [member.name, await archive.read(member)] as const);
  return new Map(await Promise.all(read));
}

export function makeZip(members: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of members) {
    const text = new TextEncoder().encode(name);
    const sizes: [number, number][] = [[0, bytes.length], [4, bytes.length], [8, text.length]]; // prettier-ignore
    const local = record(0x04034b50, 30, 18, sizes);
    const entry = record(0x02014b50, 46, 20, sizes);
    new DataView(entry.buffer).setUint32(42, at, true);
    parts.push(local, text, bytes);
    directory.push(entry, text);
    at += local.length + text.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(0x06054b50, 22, 12, [[0, size], [4, at]]); // prettier-ignore
  new DataView(end.buffer).setUint16(10, members.size, true);
  return joinBytes(...parts, ...directory, end);
}

function record(sign: number, size: number, from: number, fields: [number, number][]): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sign, true);
  for (const [at, value] of fields) view.setUint32(from + at, value, true);
  return bytes;
}
