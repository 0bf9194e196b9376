import { onEveryBackendOnce } from "../support/backends.js";
import { type FunctionalCase, replay } from "../support/functional.js";
import { readGoldens } from "../support/goldens.js";

/**
 * torch.nn.functional as PyTorch's own suites call it (spec/oracle/functional_samples.py), and at
 * its edges (spec/oracle/functional_edges.py).
 */
const given = process.env.FUNCTIONAL_SAMPLES;
const files = given ? [given] : ["goldens/functional-samples", "goldens/functional-edges"];

for (const file of files) {
  const goldens = await readGoldens<FunctionalCase>(file);
  const functions = [...new Set(goldens.cases.map((golden) => golden.function))];

  onEveryBackendOnce(`PyTorch's ${file.split("/").at(-1)}`, (_backend, tolerance) => {
    for (const name of functions) {
      describe(name, () => {
        for (const golden of goldens.cases.filter((one) => one.function === name)) {
          it(golden.id, () => replay(golden, goldens, tolerance));
        }
      });
    }
  });
}
