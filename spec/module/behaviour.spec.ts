import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { readJson } from "../support/files.js";
import { CONTAINERS } from "./behaviour/containers.js";
import { MODULES } from "./behaviour/modules.js";
import { STATE } from "./behaviour/state.js";

/** What real PyTorch did with the same modules: spec/oracle/module_behaviour.py, case by case. */
const PYTORCH = await readJson<Record<string, unknown>>("goldens/module-behaviour.json");

const CASES = { ...STATE, ...MODULES, ...CONTAINERS };

/** Plain JSON: modules become their repr, and -0 becomes 0. */
function toJson(value: unknown): unknown {
  if (value instanceof nn.Module) return String(value);
  if (Array.isArray(value)) return value.map(toJson);
  return Object.is(value, -0) ? 0 : value;
}

onEveryBackend("Modules behave as PyTorch's", () => {
  it("in every case that PyTorch was asked", () => {
    expect(CASES).to.have.all.keys(Object.keys(PYTORCH));
  });

  for (const [name, run] of Object.entries(CASES)) {
    it(name.replaceAll("_", " "), () => {
      tf.engine().startScope();
      try {
        expect(toJson(run())).to.deep.equal(PYTORCH[name]);
      } finally {
        tf.engine().endScope();
      }
    });
  }
});
