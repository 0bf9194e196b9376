import * as nn from "../../lib/index.js";
import { camelCase } from "./goldens.js";

/** PyTorch's names, part by part, as `spec/oracle/torch_names.py` writes them. */
export type TorchNames = Record<string, string | readonly string[]>;

const IN_PLACE = "Left out: tensors are immutable here; the form without `_` does the same.";
const PYTHON = "No operator: a helper of PyTorch's own Python code.";
const BASE = "Left out: a base class, not used by itself.";
const LOW_PRECISION = "Left out: a product of 8-bit or bfloat16 matrices, which tfjs has not.";
const GRADIENTS = "Left out: training only.";
const LAYOUT = "Left out: memory layouts of PyTorch's own; tensors here are row-major.";
const OLD_NAME = "Left out: a deprecated name of the form with `_`.";
const FUSION = "Left out: a step of a compiler, not of a model.";

/** Why there is none of ours; whatever is not here must exist. */
const LEFT_OUT: Record<string, Record<string, string>> = {
  nn: {
    Container: "Left out: a deprecated name of `Module`.",
    DataParallel: "Left out: there is one device.",
    LinearCrossEntropyOptions: "Left out: how to save memory in training.",
    RNNBase: BASE,
    RNNCellBase: BASE,
  },
  "nn.functional": {
    ...Object.fromEntries(
      ["Callable", "DType", "Optional", "ScalingType", "SwizzleType", "Tensor"].map((name) => [
        name,
        "No operator: a type.",
      ]),
    ),
    ...Object.fromEntries(
      [
        ...["assert_int_or_pair", "boolean_dispatch", "handle_torch_function"],
        ...["has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"],
      ].map((name) => [name, PYTHON]),
    ),
    ...Object.fromEntries(
      ["celu_", "elu_", "hardtanh_", "leaky_relu_", "relu_", "rrelu_", "selu_", "threshold_"].map(
        (name) => [name, IN_PLACE],
      ),
    ),
    ...Object.fromEntries(
      ["grouped_mm", "scaled_addmm", "scaled_addmm_", "scaled_grouped_mm", "scaled_mm"].map(
        (name) => [name, LOW_PRECISION],
      ),
    ),
  },
  "nn.init": Object.fromEntries(
    [
      ...["constant", "dirac", "eye", "kaiming_normal", "kaiming_uniform", "normal", "orthogonal"],
      ...["sparse", "uniform", "xavier_normal", "xavier_uniform"],
    ].map((name) => [name, OLD_NAME]),
  ),
  "nn.utils": {
    ...Object.fromEntries(
      [
        ...["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_"],
        "get_total_norm",
      ].map((name) => [name, GRADIENTS]),
    ),
    convert_conv2d_weight_memory_format: LAYOUT,
    convert_conv3d_weight_memory_format: LAYOUT,
    fuse_conv_bn_eval: FUSION,
    fuse_conv_bn_weights: FUSION,
    fuse_linear_bn_eval: FUSION,
    fuse_linear_bn_weights: FUSION,
    parameters_to_vector: "Left out: for optimizers.",
    vector_to_parameters: "Left out: for optimizers.",
    skip_init: "Left out: `nn.meta` builds a model without initialising it.",
  },
  "nn.utils.rnn": { invert_permutation: PYTHON },
  "nn.utils.parametrize": {
    cached: "Left out: a parametrized weight is made once a call.",
    transfer_parametrizations_and_params: "Left out: for optimizers and quantisation.",
    type_before_parametrizations: PYTHON,
  },
  "nn.utils.parametrizations": {
    orthogonal: "Left out: needs matrix exponentials and Householder products, which tfjs has not.",
  },
};

const INTRODUCTION = `# Names of PyTorch

What each public name of \`torch.nn\` in PyTorch VERSION is called here, or why it is left out. Classes keep
their names; functions and options have theirs in camelCase. \`spec/torch-names.node.spec.ts\` writes
and checks this page.
`;

function find(path: string): Record<string, unknown> {
  const parts = path.split(".").slice(1);
  return parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], nn) as Record<
    string,
    unknown
  >;
}

/** What of a part of PyTorch is neither here nor left out, or is both. */
export function wrongNames(part: string, names: readonly string[]): string[] {
  const reasons = LEFT_OUT[part] ?? {};
  const ours = find(part);
  const wrong = names.filter((name) => ourName(name) in ours === name in reasons);
  return [...wrong, ...Object.keys(reasons).filter((name) => !names.includes(name))];
}

function ourName(name: string): string {
  return camelCase(name);
}

/** The page that tells of every name whether we have it. */
export function namesPage(torch: TorchNames): string {
  const parts = Object.entries(torch).filter(([part]) => part.startsWith("nn"));
  const tables = parts.map(([part, list]) => {
    const names = list as readonly string[];
    const reasons = LEFT_OUT[part] ?? {};
    const rows = names.map((name) => {
      const here = name in reasons ? reasons[name] : `\`${ourName(name)}\``;
      return `| \`${name}\` | ${here} |`;
    });
    const count = names.filter((name) => !(name in reasons)).length;
    return [
      `## torch.${part}`,
      `${count} of ${names.length} are here.`,
      ["| PyTorch | Here |", "| --- | --- |", ...rows].join("\n"),
    ].join("\n\n");
  });
  return [INTRODUCTION.replace("VERSION", torch.torch as string), ...tables].join("\n") + "\n";
}
