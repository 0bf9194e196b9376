/** The direction of imports: see docs/architecture.md. */
const allow = (from, ...to) => ({
  name: `${from}-imports`,
  comment: `lib/${from} may import from: ${to.length ? to.join(", ") : "nothing of ours"}`,
  severity: "error",
  from: { path: `^lib/${from}/` },
  to: { path: "^lib/", pathNot: [`^lib/${from}/`, ...to.map((name) => `^lib/${name}(/|\\.ts)`)] },
});

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "types alone make no cycle at run time",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    allow("reference"),
    allow("random"),
    allow("wasm"),
    allow("checkpoint", "arguments", "wasm"),
    allow("functional", "arguments"),
    allow("module", "arguments", "random"),
    allow("layers", "arguments", "module", "functional"),
    allow("graph", "functional"),
    allow("exported", "arguments", "graph", "checkpoint", "module", "functional", "layers"),
    allow("kernels", "graph", "wasm"),
    allow("eager", "functional", "kernels"),
    allow("compile", "arguments", "backend", "graph", "kernels", "module", "functional", "image"),
    allow("cli", "arguments", "checkpoint", "exported", "module", "index", "backend"),
    allow("worker", "arguments"),
    allow("image", "arguments", "functional"),
    allow("models", "arguments", "layers", "module", "functional"),
    {
      name: "nothing-imports-reference",
      severity: "error",
      from: { path: "^lib/", pathNot: "^lib/reference/" },
      to: { path: "^lib/reference/" },
    },
    {
      name: "no-tfjs-below",
      comment: "these run without tfjs",
      severity: "error",
      from: { path: "^lib/(reference|random|wasm|checkpoint)/" },
      to: { path: "@tensorflow" },
    },
    {
      name: "backends-on-demand",
      comment: "only lib/backend.ts names a tfjs backend",
      severity: "error",
      from: { path: "^lib/", pathNot: "^lib/backend\\.ts$" },
      to: { path: "@tensorflow/tfjs-backend" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
  },
};
