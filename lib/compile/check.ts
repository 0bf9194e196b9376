/** Says early what is wrong with the arguments of `nn.compile`. */
import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";
import type { CompileOptions } from "./compile.js";
import { checkCount } from "./threads.js";

/**
 * Refuses tensors in the place of the options: several inputs go into one list,
 * `compile(model, [x, y])`.
 */
export function refuseInputs(options: unknown): void {
  const isTensor = (one: unknown): boolean => one instanceof tf.Tensor;
  const isRecord = typeof options === "object" && options !== null;
  if (!isTensor(options) && !(isRecord && Object.values(options).some(isTensor))) return;
  throw new TypeError(
    "compile: several arguments of a call go in one list, as in nn.compile(model, [x, y]); " +
      `the third argument is for options, got ${describe(options)}`,
  );
}

export function checkOthers(
  model: unknown,
  example: unknown,
  { plans, onProgress }: Required<CompileOptions>,
): void {
  if (typeof model !== "function") {
    throw new TypeError(`compile: expected a module or a function, got ${describe(model)}`);
  }
  if (example === undefined || example === null) {
    throw new TypeError(
      "compile: expected example inputs, a tensor or the list of all arguments of a call, " +
        `got ${describe(example)}`,
    );
  }
  checkCount("compile: plans", plans);
  if (onProgress !== null && typeof onProgress !== "function") {
    throw new TypeError(`compile: onProgress: expects a function, got ${describe(onProgress)}`);
  }
}
