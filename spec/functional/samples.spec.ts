import { onEveryBackend } from "../support/backends.js";
import { inNode } from "../support/files.js";
import { type FunctionalCase, replay } from "../support/functional.js";
import { readGoldens } from "../support/goldens.js";

/** torch.nn.functional as PyTorch's own suites call it; see spec/oracle/functional_samples.py. */
const goldens = await readGoldens<FunctionalCase>(
  (inNode && process.env.FUNCTIONAL_SAMPLES) || "goldens/functional-samples",
);
const functions = [...new Set(goldens.cases.map((golden) => golden.function))];

onEveryBackend("PyTorch's functional samples", (_backend, tolerance) => {
  for (const name of functions) {
    describe(name, () => {
      for (const golden of goldens.cases.filter((one) => one.function === name)) {
        it(golden.id, () => replay(golden, goldens, tolerance));
      }
    });
  }
});
