import * as tf from "@tensorflow/tfjs-core";
import type { Tolerance } from "../support/backends.js";
import { expect } from "chai";
import { expectTensor } from "../support/expect.js";
import { readFixture, readJson } from "../support/files.js";
import { readGoldens } from "../support/goldens.js";

export type Golden =
  | null
  | boolean
  | number
  | string
  | { $tensor: string; dtype: string }
  | Golden[]
  | { [key: string]: Golden };

export interface Call {
  args: Golden[];
  kwargs: Record<string, Golden>;
}

export interface ExportedCase {
  calls: (Call & { output: Golden })[];
  errors: (Call & { message: string })[];
  keys: string[];
  state_after: Record<string, Golden> | null;
  graph: string;
  text: string;
}

export const FOLDER = "goldens/exported";

export const readProgram = (name: string): Promise<Uint8Array> =>
  readFixture(`${FOLDER}/${name}.pt2`);

export const readCases = (): Promise<Record<string, ExportedCase>> =>
  readJson(`${FOLDER}/cases.json`);

type Values = Awaited<ReturnType<typeof readGoldens>>;

export const readValues = (): Promise<Values> => readGoldens(`${FOLDER}/cases`);

const isTensor = (golden: Golden): golden is { $tensor: string; dtype: string } =>
  typeof golden === "object" && golden !== null && "$tensor" in golden;

/** What a case is called with, as the program takes it. */
export function make(golden: Golden, values: Values): unknown {
  if (golden === null || typeof golden !== "object") return golden;
  if (Array.isArray(golden)) return golden.map((one) => make(one, values));
  if (isTensor(golden)) {
    const { shape, values: data } = values.tensor(golden.$tensor);
    return tf.tensor(data, shape, dtypeOf(golden.dtype));
  }
  return Object.fromEntries(Object.entries(golden).map(([key, one]) => [key, make(one, values)]));
}

function dtypeOf(dtype: string): "float32" | "int32" | "bool" {
  if (dtype === "bool") return "bool";
  // A complex tensor is one of floats, with its parts in a last dimension.
  return dtype.startsWith("int") ? "int32" : "float32";
}

/** The inputs of a call, those by keyword last. */
export function inputsOf({ args, kwargs }: Call, values: Values): unknown[] {
  const keywords = Object.keys(kwargs).length > 0 ? [make(kwargs, values)] : [];
  return [...(make(args, values) as unknown[]), ...keywords];
}

export function expectLike(
  got: unknown,
  golden: Golden,
  values: Values,
  tolerance: Tolerance,
  where = "output",
): void {
  if (golden === null || typeof golden !== "object") {
    expect(got, where).to.equal(golden);
  } else if (Array.isArray(golden)) {
    expect(got, where).to.be.an("array").with.lengthOf(golden.length);
    golden.forEach((one, i) => {
      expectLike((got as unknown[])[i], one, values, tolerance, `${where}[${i}]`);
    });
  } else if (isTensor(golden)) {
    const want = values.tensor(golden.$tensor);
    expect((got as tf.Tensor).dtype, `dtype of ${where}`).to.equal(dtypeOf(golden.dtype));
    expectTensor(got as tf.Tensor, want, tolerance, where);
  } else {
    expect(Object.keys(got as object), where).to.deep.equal(Object.keys(golden));
    for (const [key, one] of Object.entries(golden)) {
      const inner = (got as Record<string, unknown>)[key];
      expectLike(inner, one, values, tolerance, `${where}.${key}`);
    }
  }
}
