import { expect } from "chai";
import * as nn from "../../lib/index.js";

/** Compiles a model, and fails if it runs eagerly: then it would be compared with itself. */
export async function compiled<M extends nn.Traceable>(
  model: M,
  example: unknown,
  options?: nn.CompileOptions,
): Promise<nn.Compiled<M>> {
  const fast = await nn.compile(model, example, options);
  const { compiled: isCompiled, reason } = fast.explain();
  expect(isCompiled, String(reason)).to.equal(true);
  return fast;
}
