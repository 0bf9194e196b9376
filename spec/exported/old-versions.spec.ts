import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { readFixture, readJson } from "../support/files.js";
import { readGoldens } from "../support/goldens.js";
import { type Call, expectLike, type Golden, inputsOf } from "./support.js";

const FOLDER = "goldens/exported-old";
type OldCase = { calls: (Call & { output: Golden })[]; keys: string[] };

onEveryBackend("exported programs of older PyTorch", (_backend, tolerance) => {
  for (const [version, more] of [
    ["2.4.1", ["flagged"]],
    ["2.5.1", []],
    ["2.8.0", []],
  ] as const) {
    const names = ["cnn", "sequence", "writes", ...more];
    for (const name of names.map((one) => `${one}-${version}`)) {
      it(name, async () => {
        const cases = await readJson<Record<string, OldCase>>(`${FOLDER}/${version}.json`);
        const values = await readGoldens(`${FOLDER}/${version}`);
        const program = await nn.loadExported(await readFixture(`${FOLDER}/${name}.pt2`));
        const { calls, keys } = cases[name]!;
        expect([...program.stateDict().keys()]).to.deep.equal(keys);
        for (const call of calls) {
          const inputs = inputsOf(call, values);
          expectNoLeak(() => {
            const output = program(...inputs);
            expectLike(output, call.output, values, tolerance);
            tf.dispose(output as tf.TensorContainer);
          });
          tf.dispose(inputs as tf.TensorContainer);
        }
        program.dispose();
      });
    }
  }
});
