/** numpy's scalars and arrays in pickles. */
import { DTYPES, isDtype } from "../dtype.js";
import { CheckpointError } from "../errors.js";
import { inert } from "../pickle/python.js";
import { type Builder, type Builders, Global, type Stateful } from "../pickle/values.js";
import { areSizes, fortranStride, numelOf, rowMajorStride } from "../sizes.js";
import { LazyTensor, UnreadableTensor } from "../tensor.js";
import { type NumpyDtype, parseNumpyDtype } from "./dtype.js";

class PickledDtype implements Stateful {
  private parsed: NumpyDtype;
  private isStructured = false;

  constructor(readonly name: string) {
    this.parsed = parseNumpyDtype(name) ?? { dtype: "void", isBigEndian: false };
  }

  /**
   * The state: a version, the byte order, and for compound dtypes base and shape, names, fields.
   */
  setState(state: unknown): void {
    const [, order, base, names] = Array.isArray(state) ? (state as unknown[]) : [];
    if (order === ">") this.parsed = { ...this.parsed, isBigEndian: true };
    this.isStructured ||= Array.isArray(base) || Array.isArray(names);
  }

  get meaning(): NumpyDtype {
    return this.isStructured ? { dtype: "structured", isBigEndian: false } : this.parsed;
  }
}

/** An array; its tensor exists once the pickle has set its shape and bytes. */
export class NumpyArray implements Stateful {
  tensor: LazyTensor | UnreadableTensor = new UnreadableTensor(
    "an unfinished numpy array",
    "void",
    [],
  );

  /** The state: a version, the shape, the dtype, whether it is column-major, and the bytes. */
  setState(state: unknown): void {
    const [, shape, dtype, isFortran, data] = Array.isArray(state) ? (state as unknown[]) : [];
    this.tensor = makeTensor(data, dtype, shape, isFortran === true);
  }
}

function makeTensor(
  data: unknown,
  pickled: unknown,
  shape: unknown,
  isFortran: boolean,
): LazyTensor | UnreadableTensor {
  const sizes = Array.isArray(shape) ? (shape as unknown[]) : [NaN];
  if (!(pickled instanceof PickledDtype) || !areSizes(sizes)) {
    throw new CheckpointError("a numpy array without dtype and shape");
  }
  const { dtype, isBigEndian } = pickled.meaning;
  if (!isDtype(dtype)) return new UnreadableTensor(`a numpy array of ${dtype}`, dtype, sizes);
  const nbytes = (numelOf(sizes) * DTYPES[dtype].bits) / 8;
  const bytes = toBytes(data, nbytes);
  if (bytes === null) throw new CheckpointError("a numpy array without its bytes");
  if (nbytes !== bytes.length) {
    throw new CheckpointError(
      `a numpy array of shape [${sizes.slice(0, 8).join(", ")}] and ${dtype} ` +
        `needs ${nbytes} bytes, but has ${bytes.length}`,
    );
  }
  const read = (): Promise<Uint8Array> => Promise.resolve(bytes);
  const stride = isFortran ? fortranStride(sizes) : rowMajorStride(sizes);
  const storage = { dtype, nbytes, isBigEndian, isCopied: true, read };
  return new LazyTensor(storage, { dtype, shape: sizes, stride, offset: 0 });
}

/** Bytes, or a str, as Python 2 pickled bytes: in UTF-8, or one character per byte. */
function toBytes(data: unknown, count: number): Uint8Array | null {
  if (data instanceof Uint8Array) return data;
  if (typeof data !== "string") return null;
  if (data.length !== count) return new TextEncoder().encode(data);
  return Uint8Array.from(data, (character) => character.charCodeAt(0));
}

const fromBuffer: Builder = (data, dtype, shape, order) => {
  const array = new NumpyArray();
  array.tensor = makeTensor(data, dtype, shape, order === "F");
  return array;
};

/** A dtype, by its name or by the class of its scalars. */
const makeDtype: Builder = (name) => {
  if (typeof name === "string") return new PickledDtype(name);
  if (name instanceof Global) return new PickledDtype(name.name.replace(/_$/, ""));
  throw new CheckpointError("a numpy dtype without a name");
};

/** numpy 2 renamed `numpy.core` to `numpy._core`; both names occur. */
const bothNames = (path: string, builder: Builder): [string, Builder][] => [
  [`numpy.core.${path}`, builder],
  [`numpy._core.${path}`, builder],
];

export const NUMPY_BUILDERS: Builders = new Map<string, Builder>([
  ["numpy.dtype", makeDtype],
  ...bothNames("multiarray.scalar", inert("numpy scalar")[1]),
  ...bothNames("multiarray._reconstruct", () => new NumpyArray()),
  ...bothNames("numeric._frombuffer", fromBuffer),
  ...[
    "numpy.random._pickle.__randomstate_ctor",
    "numpy.random._pickle.__generator_ctor",
    "numpy.random._pickle.__bit_generator_ctor",
    "numpy.random.bit_generator.__pyx_unpickle_SeedSequence",
  ].map(inert),
]);
