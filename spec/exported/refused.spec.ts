import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { onEveryBackendOnce } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { readJson } from "../support/files.js";

type Value =
  | null
  | boolean
  | number
  | string
  | Value[]
  | { $number: "inf" | "-inf" | "nan" }
  | { $tensor: [dtype: string, shape: number[], values: Value[]] }
  | { [key: string]: Value };

interface Refused {
  target: string;
  args: Value[];
  kwargs: Record<string, Value>;
  /** PyTorch's. */
  message: string;
}

const NUMBERS = { inf: Infinity, "-inf": -Infinity, nan: NaN };

function decode(value: Value): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  if ("$number" in value) return NUMBERS[value.$number as keyof typeof NUMBERS];
  if (!("$tensor" in value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, decode(one)]));
  }
  const [dtype, shape, values] = value.$tensor as [string, number[], Value[]];
  const kind = dtype === "bool" ? "bool" : dtype.startsWith("int") ? "int32" : "float32";
  return tf.tensor(values.map((one) => Number(decode(one))), shape, kind); // prettier-ignore
}

const cases = await readJson<Refused[]>("goldens/refused.json");

onEveryBackendOnce("ATen ops refuse what PyTorch refuses, in its words", () => {
  for (const target of new Set(cases.map((one) => one.target))) {
    it(target, () => {
      for (const { args, kwargs, message } of cases.filter((one) => one.target === target)) {
        const call = (): void => {
          const read = [decode(args), decode(kwargs)] as [unknown[], Record<string, unknown>];
          lookUpOp(target)!(...read, { outputs: [], inputs: [] } as never);
        };
        expectNoLeak(() => {
          expect(() => tf.tidy(call), JSON.stringify(args)).to.throw(message);
        });
      }
    });
  }
});
