/** Writes docs/aten-ops.md from the table of ops and PyTorch's list of Core ATen ops. */

/** Core ops that are supported though the table does not have them, and by what. */
const ELSEWHERE: Record<string, string> = {
  "aten.sym_numel.default": "by the interpreter",
  "aten.sym_size.int": "by the interpreter",
  "aten.sym_storage_offset.default": "by the interpreter",
  "aten.sym_stride.int": "by the interpreter",
};

const HEAD = `# ATen ops

The ATen ops that an exported program may call, under PyTorch's names. \`nn.registerOp\` adds others. When a
program is loaded, calls of in-place ops (\`add_\`) become calls of the functional ones.

## Data types

- **Integers** are computed as int32. Narrower types wrap around as in PyTorch; an int64 beyond int32 becomes
  the nearest int32.
- **Floats** are computed as float32. A cast to float16 or bfloat16 rounds to that type, but what is
  computed afterwards is not rounded to it.
- **Type promotion** is PyTorch's, by category (bool, integer, float). A result has the dtype that the
  program recorded for it.
- **Complex tensors** work in \`fft_*\`, \`istft\`, arithmetic, exponential and trigonometric functions,
  products (\`matmul\`, \`einsum\`, convolutions), sums, norms, most of \`torch.linalg\` (inverses, solutions,
  determinants, eigen- and singular values, LU, QR, Cholesky), and ops that move or overwrite elements. All
  other ops throw an error that says that they do not take complex tensors.
- **Sparse tensors** that a program makes (\`sparse_coo_tensor\`, \`to_sparse\`) are stored, multiplied and
  returned as dense ones. Ops that exist only for sparse tensors (\`sparse.softmax\`, \`indices\`, \`values\`)
  are missing.
- **Quantised programs** may use the ops of \`quantized_decomposed\`, and \`fake_quantize_*\` without
  observers. They are computed as floats.
- **Bytes** (\`uint8\`) are resized as by PyTorch on the CPU: with its integer weights, along the width
  first and then the height, each time to whole numbers. A few values in ten thousand may differ by 1.

## Where ops run

- \`sort\`, \`topk\`, \`nonzero\`, \`unique\`, \`quantile\`, \`scatter_reduce\`, bitwise ops on integers,
  matrix factorisations and the like run in JavaScript. On webgl their operands are read back from the GPU
  and their results uploaded.
- \`torch.vmap\` and \`map\` run one row after another.
- Of torchvision's ops there are \`nms\`, \`roi_align\`, \`roi_pool\` and \`deform_conv2d\`.

## Results

- Among equal values, \`topk\`, \`kthvalue\`, \`mode\` and \`median\` choose the one that PyTorch chooses on the
  CPU. \`sort\` is always stable; PyTorch's is only on request.
- Eigen- and singular vectors may have another sign than PyTorch's.

## Errors

- Arguments that PyTorch refuses are refused with its messages: indices and targets out of range, \`k\` and
  quantiles out of range, shapes that do not match.
- To check indices, their values are read back from the GPU: once if they are a weight or a constant, else
  in every run. Programs compiled with \`nn.compile\` do not check them.
- Compiled programs do refuse singular matrices, unless \`_linalg_check_errors\` is what checks them, as
  in a decomposed program.
`;

const code = (name: string): string => `\`${name}\``;

/** The page's Markdown. `core`: PyTorch's schemas by op name; `targets`: the names in our table. */
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
    `${count} of ${rows.length} are supported. Ops for gradients and random numbers are not counted.\n`,
    "| op | supported |",
    "| --- | --- |",
    ...rows,
    "",
    `## Further ops\n`,
    `${others.length} more ops that programs contain before or after decompositions.\n`,
    ...[...families.values()].map((names) => `- ${names.map(code).join(", ")}`),
    "",
  ].join("\n");
}
