/** Encodes ONNX models of a single node: enough to time onnxruntime's kernels. */

type Bytes = number[];

function varint(value: number): Bytes {
  const bytes: Bytes = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

const text = (value: string): Bytes => [...new TextEncoder().encode(value)];
const whole = (field: number, value: number): Bytes => [...varint(field * 8), ...varint(value)];

/** A length-delimited field of a protocol buffer: a message or a text. */
function part(field: number, content: Bytes | string): Bytes {
  const bytes = typeof content === "string" ? text(content) : content;
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
}

const FLOAT = 1;

function declaration(name: string, shape: readonly number[]): Bytes {
  const dims = shape.flatMap((size) => part(1, whole(1, size)));
  return [...part(1, name), ...part(2, part(1, [...whole(1, FLOAT), ...part(2, dims)]))];
}

function attribute(name: string, value: number | readonly number[]): Bytes {
  const [INT, INTS] = [2, 7];
  if (typeof value === "number") return [...part(1, name), ...whole(3, value), ...whole(20, INT)];
  return [...part(1, name), ...value.flatMap((one) => whole(8, one)), ...whole(20, INTS)];
}

export interface OnnxNode {
  type: string;
  attributes?: Readonly<Record<string, number | readonly number[]>>;
  input: readonly number[];
  /** Constant inputs after the first one. */
  weights?: readonly { shape: readonly number[]; values: Float32Array }[];
  output: readonly number[];
}

/** The bytes of a model with the input `x` and the output `y`. */
export function onnxModel({
  type,
  attributes = {},
  input,
  weights = [],
  output,
}: OnnxNode): Uint8Array {
  const names = weights.map((_, i) => `w${i}`);
  const node = [
    ...["x", ...names].flatMap((name) => part(1, name)),
    ...part(2, "y"),
    ...part(4, type),
    ...Object.entries(attributes).flatMap(([name, value]) => part(5, attribute(name, value))),
  ];
  const constants = weights.map(({ shape, values }, i) => {
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const head = [
      ...shape.flatMap((size) => whole(1, size)),
      ...whole(2, FLOAT),
      ...part(8, names[i]!),
    ];
    return { head, raw };
  });
  const front = [...part(1, node), ...part(2, "g")];
  const back = [...part(11, declaration("x", input)), ...part(12, declaration("y", output))];
  // Weights have too many bytes to be spread into a call's arguments.
  const chunks: Uint8Array[] = [Uint8Array.from(front)];
  for (const { head, raw } of constants) {
    const start = [...head, ...varint(9 * 8 + 2), ...varint(raw.length)];
    chunks.push(
      Uint8Array.from([...varint(5 * 8 + 2), ...varint(start.length + raw.length), ...start]),
    );
    chunks.push(raw);
  }
  chunks.push(Uint8Array.from(back));
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const opset = part(8, [...part(1, ""), ...whole(2, 20)]);
  const model = Uint8Array.from([
    ...whole(1, 9),
    ...opset,
    ...varint(7 * 8 + 2),
    ...varint(length),
  ]);
  const bytes = new Uint8Array(model.length + length);
  let at = model.length;
  bytes.set(model);
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
