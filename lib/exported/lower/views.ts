/** Which ops return views: tensors that share the memory of their first argument. */
import { isContiguous } from "../../checkpoint/sizes.js";
import { type Argument, Literal, type Node, type TensorMeta } from "../../graph/index.js";

/** Ops that always return a view. */
const ALWAYS = new Set([
  ...["alias", "detach", "view", "view_as", "select", "slice", "narrow", "split", "chunk"],
  ...["split_with_sizes", "tensor_split", "hsplit", "vsplit", "dsplit", "unbind", "transpose"],
  ...["permute", "t", "movedim", "moveaxis", "swapaxes", "swapdims", "numpy_T", "mT", "mH", "T"],
  ...[
    "H",
    "matrix_H",
    "adjoint",
    "unsqueeze",
    "squeeze",
    "expand",
    "expand_as",
    "broadcast_to",
    "diagonal",
    "linalg_diagonal",
  ],
  ...["unfold", "as_strided", "real", "imag", "view_as_real", "view_as_complex", "lift_fresh"],
  ...["_reshape_alias", "unflatten", "positive", "atleast_1d", "atleast_2d", "atleast_3d"],
  ...["_conj", "conj", "resolve_conj", "resolve_neg", "requires_grad", "broadcast_tensors"],
]);

/** Ops that return a view if no copy is needed. */
const MAYBE = new Set([
  ...["reshape", "reshape_as", "flatten", "ravel", "contiguous", "to", "type_as"],
  ...["dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"],
]);

/** In-place ops that only change the view of a tensor. */
export const IN_PLACE_VIEWS = new Set([
  ...["detach_", "squeeze_", "unsqueeze_", "t_", "transpose_", "swapaxes_", "swapdims_"],
  ...["requires_grad_", "as_strided_"],
]);

/** `add` for `aten.add.Tensor`; null for targets that are not ATen ops. */
export function packetOf(target: string): string | null {
  return /^aten\.(\w+)\.\w+$/.exec(target)?.[1] ?? null;
}

/** Whether the result of a node shares the memory of its first argument. */
export function isView(node: Node): boolean {
  const packet = packetOf(node.target);
  if (packet === null) return false;
  if (ALWAYS.has(packet) || IN_PLACE_VIEWS.has(packet)) return true;
  return MAYBE.has(packet) && isSame(packet, node);
}

function isSame(packet: string, node: Node): boolean {
  const [self] = node.args as [Node];
  const [from, to] = [metaOf(self), metaOf(node)];
  if (packet.endsWith("dropout")) {
    const isTraining = node.args[2] ?? node.kwargs.train ?? true;
    const p = node.args[1] instanceof Literal ? node.args[1].value : node.args[1];
    return isTraining === false || p === 0;
  }
  if (from === null || to === null) return false;
  if (packet === "to" || packet === "type_as" || packet === "contiguous") {
    if (from.dtype !== to.dtype || isCopy(node)) return false;
    return sameStrides(from, to);
  }
  // `reshape` returns a view of elements with a constant stride, but `ravel` copies them.
  if (packet !== "ravel") return canView(from, to);
  return from.layout === undefined || isContiguous(from.layout.shape, from.layout.stride);
}

function metaOf(node: Argument): TensorMeta | null {
  const value = (node as Node | null)?.meta?.value;
  return value !== undefined && "dtype" in value ? value : null;
}

/** The `copy` argument of `to`: the last positional one except the memory format. */
function isCopy({ target, args, kwargs }: Node): boolean {
  const place: Readonly<Record<string, number>> = {
    ...{ "aten.to.dtype": 3, "aten.to.device": 4, "aten.to.other": 3, "aten.to.dtype_layout": 9 },
  };
  return kwargs.copy === true || args[place[target] ?? -1] === true;
}

/** Strides of dimensions with one element do not matter. */
function sameStrides({ layout: from }: TensorMeta, { layout: to }: TensorMeta): boolean {
  if (from === undefined || to === undefined) return true;
  return from.shape.every((size, i) => size === 1 || from.stride[i] === to.stride[i]);
}

/**
 * Whether a tensor can be viewed in another shape without a copy, by the algorithm of PyTorch's
 * `computeStride`: each group of dimensions that one stride describes is divided anew.
 */
export function canView({ layout: from }: TensorMeta, { layout: to }: TensorMeta): boolean {
  if (from === undefined || to === undefined) return true;
  if (from.shape.includes(0) || from.shape.length === 0) return true;
  let at = to.shape.length - 1;
  let base = from.stride.at(-1)!;
  let chunk = 1;
  let viewed = 1;
  for (let dim = from.shape.length - 1; dim >= 0; dim -= 1) {
    chunk *= from.shape[dim]!;
    const isEnd = dim === 0 || (from.shape[dim - 1] !== 1 && from.stride[dim - 1] !== chunk * base);
    if (!isEnd) continue;
    while (at >= 0 && (viewed < chunk || to.shape[at] === 1)) viewed *= to.shape[at--]!;
    if (viewed !== chunk) return false;
    base = from.stride[dim - 1] ?? 1;
    chunk = 1;
    viewed = 1;
  }
  return at < 0;
}
