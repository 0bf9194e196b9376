/** What docs/aten-ops.md says, from the table of ops and PyTorch's list of Core ATen ops. */

/** Why an op of the core list is not in the table. */
const ELSEWHERE: Record<string, string> = {
  "aten.sym_numel.default": "by the interpreter",
  "aten.sym_size.int": "by the interpreter",
  "aten.sym_storage_offset.default": "by the interpreter",
  "aten.sym_stride.int": "by the interpreter",
};

const HEAD = `# ATen ops

What an exported program may call, beside what is registered with \`nn.registerOp\`. PyTorch's names;
an op of which only the in-place form is called (\`add_\`) is made functional when the program is
loaded.

- Integers are int32 (narrower ones wrap around as in PyTorch), and all floats float32: a cast to float16 or
  bfloat16 rounds, what is computed after it does not. An int64 beyond int32 becomes the nearest int32.
- Type promotion is PyTorch's, by category (bool, integer, float); a result has the dtype that the
  program recorded for it.
- Complex tensors are taken by \`fft_*\`, \`istft\`, arithmetic, exponential and trigonometric functions,
  products (\`matmul\`, \`einsum\`, convolutions), sums, norms, most of \`torch.linalg\` (inverses, solutions,
  determinants, eigen- and singular values, LU, QR, Cholesky), and what moves elements about or writes them. Others say that they are not there for complex tensors.
- \`sort\`, \`topk\`, \`nonzero\`, \`unique\`, \`quantile\`, \`scatter_reduce\`, integers' bitwise ops,
  the factors of matrices and the like run in JavaScript, on webgl with a transfer from the GPU and
  back. Eigen- and singular vectors may point the other way than PyTorch's.
- Arguments that PyTorch refuses (places and targets that are not there, \`k\` and quantiles out of range,
  shapes that do not go together) are refused in its words. For that indices are read back, a weight's or
  a constant's once; what \`nn.compile\` compiled does not look at them. It refuses singular matrices, but
  for those that only \`_linalg_check_errors\` looks at, as in a decomposed program.
- \`topk\`, \`kthvalue\`, \`mode\` and \`median\` choose among equal values as PyTorch does on the CPU;
  \`sort\` keeps them in their order even if it is not asked to, as PyTorch's need not.
- \`torch.vmap\` and \`map\` run one row after another. Of torchvision there are \`nms\`, \`roi_align\`,
  \`roi_pool\` and \`deform_conv2d\`, of quantised programs the ops of \`quantized_decomposed\` and
  \`fake_quantize_*\` without observers, which are computed as floats.
- A sparse tensor that a program makes (\`sparse_coo_tensor\`, \`to_sparse\`) is held, multiplied and given back
  dense; ops of its own (\`sparse.softmax\`, \`indices\`, \`values\`) are not there.
- Bytes (\`uint8\`) are resized as PyTorch's CPU does, along the width and then the height to whole ones, by
  its integer weights; a few in ten thousand may be 1 off.
`;

const code = (name: string): string => `\`${name}\``;

/** The page. `core`: PyTorch's schemas by name; `targets`: what the table has. */
export function atenDocs(
  core: Readonly<Record<string, string>>,
  targets: readonly string[],
): string {
  const has = new Set(targets);
  const state = (name: string): string => (has.has(name) ? "yes" : (ELSEWHERE[name] ?? "no"));
  const rows = Object.keys(core).map((name) => `| ${code(name)} | ${state(name)} |`);
  const others = targets.filter((name) => !(name in core)).sort();
  const families = new Map<string, string[]>();
  for (const name of others) {
    const family = name.split(".")[1]!;
    families.set(family, [...(families.get(family) ?? []), name]);
  }
  const count = Object.keys(core).filter((name) => state(name) !== "no").length;
  return [
    HEAD,
    `## Core ATen\n`,
    `${count} of ${rows.length}, without gradients and random numbers.\n`,
    "| op | there |",
    "| --- | --- |",
    ...rows,
    "",
    `## Further ops\n`,
    `${others.length} more, which programs contain before and after decompositions.\n`,
    ...[...families.values()].map((names) => `- ${names.map(code).join(", ")}`),
    "",
  ].join("\n");
}
