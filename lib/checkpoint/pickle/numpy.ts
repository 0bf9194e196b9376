/** numpy's scalars and arrays, as pickles make them. */
import { DTYPES } from "../dtype.js";
import { CheckpointError } from "../errors.js";
import { numpyDtype } from "../npy.js";
import { fortranStride, numelOf } from "../strided.js";
import { LazyTensor, UnreadableTensor } from "../tensor.js";
import { inert } from "./python.js";
import { type Builder, type Builders, type Stateful } from "./values.js";

class NumpyDtype implements Stateful {
  isBigEndian = false;

  constructor(readonly name: string) {
    this.isBigEndian = name.startsWith(">");
  }

  /** The second item is the byte order. */
  setState(state: unknown): void {
    if (Array.isArray(state) && state[1] === ">") this.isBigEndian = true;
  }
}

/** An array; its tensor is there once the pickle has said its shape and bytes. */
export class NumpyArray implements Stateful {
  tensor: LazyTensor | UnreadableTensor = new UnreadableTensor("an unfinished numpy array");

  /** A version, the shape, the dtype, whether the first axis is the fastest, and the bytes. */
  setState(state: unknown): void {
    const [, shape, dtype, isFortran, data] = Array.isArray(state) ? (state as unknown[]) : [];
    this.tensor = makeTensor(data, dtype, shape, isFortran === true);
  }
}

function makeTensor(
  data: unknown,
  dtype: unknown,
  shape: unknown,
  isFortran: boolean,
): LazyTensor | UnreadableTensor {
  if (!(dtype instanceof NumpyDtype) || !Array.isArray(shape)) {
    throw new CheckpointError("a numpy array without dtype and shape");
  }
  const name = numpyDtype(dtype.name.replace(/^[<>=|]/, ""));
  if (name === undefined) return new UnreadableTensor(`a numpy array of dtype '${dtype.name}'`);
  // A str is how Python 2 wrote bytes.
  const bytes = typeof data === "string" ? Uint8Array.from(data, (c) => c.charCodeAt(0)) : data;
  if (!(bytes instanceof Uint8Array)) throw new CheckpointError("a numpy array without its bytes");
  const sizes = shape as number[];
  const expected = (numelOf(sizes) * DTYPES[name].bits) / 8;
  if (expected !== bytes.length) {
    throw new CheckpointError(
      `a numpy array of shape [${sizes.slice(0, 8).join(", ")}] and ${name} ` +
        `needs ${expected} bytes, but has ${bytes.length}`,
    );
  }
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const { isBigEndian } = dtype;
  const storage = {
    dtype: name,
    nbytes: bytes.length,
    isBigEndian,
    read: () => Promise.resolve(aligned),
  };
  const stride = isFortran ? fortranStride(sizes) : fortranStride([...sizes].reverse()).reverse();
  return new LazyTensor(storage, { dtype: name, shape: sizes, stride, offset: 0 });
}

const fromBuffer: Builder = (data, dtype, shape, order) => {
  const array = new NumpyArray();
  array.tensor = makeTensor(data, dtype, shape, order === "F");
  return array;
};

const makeDtype: Builder = (name) => {
  if (typeof name !== "string") throw new CheckpointError("a numpy dtype without a name");
  return new NumpyDtype(name);
};

/** numpy 2 calls `numpy.core` `numpy._core`. */
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
