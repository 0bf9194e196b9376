/** Files for the specs, written by no code of the library. */

/** Numbers that tell a wrong place. */
export const ramp = (length: number, start: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => start + i / 1024);

/** A safetensors file of float32 vectors; `length`: of the header, else it is aligned to 8 bytes. */
export function makeSafetensors(
  tensors: Record<string, Float32Array>,
  { length }: { length?: number } = {},
): Uint8Array<ArrayBuffer> {
  let at = 0;
  const infos = Object.entries(tensors).map(([key, values]) => {
    const end = at + values.byteLength;
    const info = { dtype: "F32", shape: [values.length], data_offsets: [at, end] };
    at = end;
    return [key, info];
  });
  let header = JSON.stringify(Object.fromEntries(infos));
  header = header.padEnd(length ?? Math.ceil(header.length / 8) * 8);
  const bytes = new Uint8Array(8 + header.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  at = 8 + header.length;
  for (const { buffer, byteOffset, byteLength } of Object.values(tensors)) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}
