import { readFixture, readJson } from "./files.js";

export interface GoldenTensor {
  dtype: string;
  shape: number[];
  values: Float32Array | Int32Array | Uint8Array;
}

/** A value of a golden case: plain JSON, with tensors, modules and functions by reference. */
export type GoldenValue =
  | null
  | boolean
  | number
  | string
  | GoldenValue[]
  | { $tensor: string }
  | { $module: GoldenConstruct }
  | { $function: string }
  | { $inf: 1 | -1 }
  | { $nan: true };

export interface GoldenConstruct {
  module: string;
  args: GoldenValue[];
  options: Record<string, GoldenValue>;
}

export interface GoldenCase extends GoldenConstruct {
  id: string;
  repr: string;
  training: boolean;
  state: Record<string, { $tensor: string }>;
  inputs: GoldenValue[];
  forward_options: Record<string, GoldenValue>;
  output: GoldenValue;
  state_after?: Record<string, { $tensor: string }>;
}

export interface Goldens<Case = GoldenCase> {
  cases: Case[];
  tensor(key: string): GoldenTensor;
}

/**
 * Reads `NAME.json` and `NAME.safetensors`. The few lines of safetensors here are the specs' own,
 * so that the goldens do not depend on the reader they test.
 */
export async function readGoldens<Case = GoldenCase>(name: string): Promise<Goldens<Case>> {
  const cases = await readJson<Case[]>(`${name}.json`);
  const bytes = (await readFixture(`${name}.safetensors`)).slice();
  const headerSize = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerSize))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensor = (key: string): GoldenTensor => {
    const {
      dtype,
      shape,
      data_offsets: [begin, end],
    } = header[key]!;
    const data = bytes.buffer.slice(8 + headerSize + begin, 8 + headerSize + end);
    if (dtype === "F32") return { dtype: "float32", shape, values: new Float32Array(data) };
    if (dtype === "I32") return { dtype: "int32", shape, values: new Int32Array(data) };
    if (dtype === "BOOL") return { dtype: "bool", shape, values: new Uint8Array(data) };
    throw new Error(`golden ${key}: unexpected dtype ${dtype}`);
  };
  return { cases, tensor };
}

/** `batch_first` → `batchFirst`: PyTorch's option names are ours in camelCase. */
export function camelCase(name: string): string {
  return name.replace(/(?<=.)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
