import { onEveryBackend } from "../support/backends.js";
import { readGoldens } from "../support/goldens.js";
import { hasModule, runCase } from "../support/module-cases.js";

/** Every case of PyTorch's own module suite, and ours: output, state, repr, no tensor left. */
const goldens = await readGoldens(process.env.GOLDENS ?? "goldens/modules");

const modules = [...new Set(goldens.cases.map(({ module }) => module))];

onEveryBackend("PyTorch's module cases", (backend, tolerance) => {
  const results: Record<string, Set<string>> = { passed: new Set(), failed: new Set() };

  afterEach(function () {
    const test = this.currentTest!;
    results[test.isPassed() ? "passed" : "failed"]!.add(test.parent!.title);
  });

  after(() => {
    const failed = [...results.failed!];
    const passed = [...results.passed!].filter((module) => !failed.includes(module));
    const missing = modules.filter((module) => !hasModule(module));
    const list = (names: string[]): string => [names.length, ...names].join(" ");
    console.log(
      `\n${backend}: modules passed ${passed.length}; ` +
        `not yet supported ${list(missing)}; failed ${list(failed)}`,
    );
  });

  for (const module of modules) {
    describe(module, () => {
      for (const golden of goldens.cases.filter((one) => one.module === module)) {
        // A module that we do not have yet shows as pending, with its name.
        const test = hasModule(module) ? () => runCase(golden, goldens, tolerance) : undefined;
        it(golden.id, test);
      }
    });
  }
});
