/** The functions of PyTorch that pickles call to make tensors from storages. */
import { type Dtype, DTYPES, isDtype } from "../dtype.js";
import { CheckpointError } from "../errors.js";
import { NUMPY_BUILDERS, NumpyArray } from "../numpy/pickle.js";
import { inert, PYTHON_BUILDERS } from "../pickle/python.js";
import { type Builder, type Builders, Global, Placeholder } from "../pickle/values.js";
import { areSizes } from "../sizes.js";
import { LazyTensor, type Storage, type TensorLayout, UnreadableTensor } from "../tensor.js";

/** A storage, as the value of a persistent id. */
export class StorageValue {
  constructor(readonly storage: Storage) {}

  /** The whole storage as a one-dimensional tensor. */
  get tensor(): LazyTensor {
    const dtype = this.storage.dtype ?? "uint8";
    const count = Math.floor((8 * this.storage.nbytes) / DTYPES[dtype].bits);
    return new LazyTensor(this.storage, { dtype, shape: [count], stride: [1], offset: 0 });
  }
}

function layoutOf(
  value: unknown,
  [offset, shape, stride]: unknown[],
  dtype?: Dtype,
): { storage: Storage; layout: TensorLayout } {
  if (!(value instanceof StorageValue)) throw new CheckpointError("a tensor without its storage");
  if (!Array.isArray(shape) || !Array.isArray(stride)) {
    throw new CheckpointError("a tensor without sizes and strides");
  }
  const { storage } = value;
  const layout: TensorLayout = {
    dtype: dtype ?? storage.dtype ?? "uint8",
    shape: shape as number[],
    stride: stride as number[],
    offset: offset as number,
  };
  return { storage, layout };
}

/** The flags for lazy conjugation and negation. */
function flagsOf(metadata: unknown): Pick<TensorLayout, "isConjugate" | "isNegative"> {
  if (!(metadata instanceof Map)) return {};
  return { isConjugate: metadata.get("conj") === true, isNegative: metadata.get("neg") === true };
}

const rebuildTensor: Builder = (storage, offset, shape, stride, ...rest) => {
  const built = layoutOf(storage, [offset, shape, stride]);
  const [, , metadata] = rest;
  return new LazyTensor(built.storage, { ...built.layout, ...flagsOf(metadata) });
};

/** With an explicit dtype, for dtypes that have no storage class. */
const rebuildTensorV3: Builder = (storage, offset, shape, stride, ...rest) => {
  const [, , type, metadata] = rest;
  const dtype = dtypeOf(type);
  if (dtype === undefined) {
    const name = type instanceof Global ? type.path : typeof type;
    throw new CheckpointError(`a tensor of unknown dtype ${name}`);
  }
  const built = layoutOf(storage, [offset, shape, stride], dtype);
  return new LazyTensor(built.storage, { ...built.layout, ...flagsOf(metadata) });
};

const rebuildQuantized: Builder = (storage, offset, shape, stride, params) => {
  const { storage: bytes, layout } = layoutOf(storage, [offset, shape, stride]);
  const [scheme, scale, zeroPoint, axis] = Array.isArray(params) ? (params as unknown[]) : [];
  const isChannels = scale instanceof LazyTensor && zeroPoint instanceof LazyTensor;
  if (!(scheme instanceof Global)) throw new CheckpointError("a quantised tensor without a scheme");
  if (isChannels && typeof axis === "number" && Object.hasOwn(layout.shape, axis)) {
    return new LazyTensor(bytes, { ...layout, quantizer: { scale, zeroPoint, axis } });
  }
  if (typeof scale !== "number" || typeof zeroPoint !== "number") {
    throw new CheckpointError(`a quantised tensor of ${scheme.path} without scale and zero point`);
  }
  return new LazyTensor(bytes, {
    ...layout,
    quantizer: { scale: [scale], zeroPoint: [zeroPoint] },
  });
};

const isTensor = (value: unknown): value is LazyTensor | UnreadableTensor =>
  value instanceof LazyTensor || value instanceof UnreadableTensor;

/** Parameter(data, …), and tensor types that wrap another tensor. */
const unwrap: Builder = (data) => {
  if (data instanceof NumpyArray) return data.tensor;
  if (isTensor(data)) return data;
  throw new CheckpointError("a parameter without its tensor");
};

/** A tensor of a subclass, or with attributes; it is made by one of these functions. */
const rebuildFromType: Builder = (builder, _type, args) => {
  const isKnown = builder instanceof Global && TENSOR_BUILDERS.has(builder.path);
  if (!isKnown || !Array.isArray(args)) {
    const name = builder instanceof Global ? builder.path : "what is no function";
    throw new CheckpointError(`it calls ${name}, which is not on the list of what may be called`);
  }
  return TENSOR_BUILDERS.get(builder.path)!(...(args as unknown[]));
};

const dtypeOf = (type: unknown): Dtype | undefined =>
  type instanceof Global && type.module === "torch" && isDtype(type.name) ? type.name : undefined;

/** A tensor that cannot be read, with what is known about it. */
function unreadable(what: string, dtype?: unknown, shape?: unknown): UnreadableTensor {
  const sizes = Array.isArray(shape) && areSizes(shape) ? shape : [];
  const type = isTensor(dtype) ? dtype.dtype : dtypeOf(dtype);
  return new UnreadableTensor(what, type ?? "float32", sizes);
}

/** A sparse tensor of indices, values and a size; compressed formats have two kinds of indices. */
const rebuildSparse: Builder = (layout, data) => {
  const parts = Array.isArray(data) ? (data as unknown[]) : [];
  const args: unknown = layout instanceof Placeholder ? layout.args : layout;
  const isPlain = Array.isArray(args) && args[0] === "torch.sparse_coo";
  const at = isPlain ? 1 : 2;
  return unreadable("a sparse tensor", parts[at], parts[at + 1]);
};

const TENSOR_BUILDERS: Builders = new Map<string, Builder>([
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_tensor_v3", rebuildTensorV3],
  ["torch._utils._rebuild_qtensor", rebuildQuantized],
  ["torch._utils._rebuild_parameter", unwrap],
  ["torch._utils._rebuild_parameter_with_state", unwrap],
  ["torch._utils._rebuild_xla_tensor", unwrap],
  ["torch._utils._rebuild_device_tensor_from_numpy", unwrap],
  ["torch._utils._rebuild_device_tensor_from_cpu_tensor", unwrap],
  ["torch.nn.parameter.Parameter", unwrap],
  ["torch.nn.parameter.Buffer", unwrap],
  ["torch.autograd.variable.Variable", unwrap],
  ["torch._utils._rebuild_sparse_tensor", rebuildSparse],
  ["torch._utils._rebuild_sparse_csr_tensor", rebuildSparse],
  ["torch._utils._rebuild_nested_tensor", (data) => unreadable("a nested tensor", data)],
  ["torch.nested._internal.nested_tensor._rebuild_njt", () => unreadable("a nested tensor")],
  [
    "torch._utils._rebuild_meta_tensor_no_storage",
    (dtype, shape) => unreadable("on the meta device, saved without values", dtype, shape),
  ],
  [
    "torch._utils._rebuild_wrapper_subclass",
    (_type, dtype, shape) => unreadable("a wrapper around other tensors", dtype, shape),
  ],
  [
    "torch.nn.parameter.UninitializedParameter",
    () => unreadable("a parameter that is not initialised"),
  ],
  ["torch.nn.parameter.UninitializedBuffer", () => unreadable("a buffer that is not initialised")],
]);

const identity: Builder = (value) => value;

/** The functions that TorchScript's pickles call for typed lists and dicts. */
const SCRIPT = "build_intlist build_floatlist build_doublelist build_boollist build_tensorlist";

export const TORCH_BUILDERS: Builders = new Map<string, Builder>([
  ...PYTHON_BUILDERS,
  ...NUMPY_BUILDERS,
  ...TENSOR_BUILDERS,
  ["torch._tensor._rebuild_from_type", rebuildFromType],
  ["torch._tensor._rebuild_from_type_v2", rebuildFromType],
  ["torch.Size", identity],
  ["torch.jit._pickle.restore_type_tag", identity],
  ...SCRIPT.split(" ").map((name): [string, Builder] => [`torch.jit._pickle.${name}`, identity]),
  inert("torch.device"),
  inert("torch.serialization._get_layout"),
]);
