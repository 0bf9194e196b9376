import { onEveryBackendOnce } from "../support/backends.js";
import { type FunctionalCase, replay } from "../support/functional.js";
import { readGoldens } from "../support/goldens.js";
import { runCase } from "../support/module-cases.js";

const folder = process.env.LOSS_GOLDENS ?? "goldens/";
const modules = await readGoldens(`${folder}losses`);
const functions = await readGoldens<FunctionalCase>(`${folder}functional-losses`);

onEveryBackendOnce("Losses and distances as PyTorch", (_backend, tolerance) => {
  for (const golden of modules.cases) {
    it(golden.id, () => runCase(golden, modules, tolerance));
  }

  for (const golden of functions.cases) {
    it(golden.id, () => replay(golden, functions, tolerance));
  }
});
