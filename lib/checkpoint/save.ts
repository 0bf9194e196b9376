import { describe, readOptions } from "../arguments.js";
import { DTYPES, isDtype } from "./dtype.js";
import type { Entry } from "./entry.js";
import { CheckpointError } from "./errors.js";
import { toBfloat16Bits, toFloat16Bits } from "./half.js";
import { storedAs, writeSafetensors } from "./safetensors-write.js";
import { numelOf } from "./sizes.js";

/** The properties of a tfjs tensor that saving needs. */
export interface SavableTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  data(): Promise<object>;
}

/** Tensors by their keys. */
export type SavableState =
  ReadonlyMap<string, SavableTensor | Entry> | Readonly<Record<string, SavableTensor | Entry>>;

const FLOATS = ["float16", "bfloat16", "float32", "float64"] as const;

export interface SaveOptions {
  /**
   * The dtype of floating-point tensors (and of quantised ones, which are dequantised) in the file,
   * rounded as PyTorch does. Default: their own.
   */
  dtype?: (typeof FLOATS)[number] | undefined;
  /** Texts for the header of the file; some Python tools require `{ format: "pt" }`. */
  metadata?: Readonly<Record<string, string>> | ReadonlyMap<string, string> | undefined;
}

const OPTIONS: SaveOptions = { dtype: undefined, metadata: undefined };

export async function save(
  state: SavableState,
  options?: SaveOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { dtype, metadata } = readOptions("save", OPTIONS, options);
  if (dtype !== undefined && !FLOATS.includes(dtype)) {
    throw new TypeError(`save: dtype must be one of ${FLOATS.join(", ")}, got '${String(dtype)}'`);
  }
  const tensors = toItems(state).map(([key, value]) => {
    const from = value.dtype;
    const isChanged =
      dtype !== undefined && (/^b?float(8|16|32|64)/.test(from) || isQuantised(value));
    const to = isChanged ? dtype : from;
    const stored = isDtype(to) ? storedAs(to, value.shape) : undefined;
    if (!isDtype(to) || stored === undefined) {
      throw new CheckpointError(`'${key}' is ${to}, for which safetensors has no dtype`, { key });
    }
    const size = Math.ceil((numelOf(value.shape) * DTYPES[to].bits) / 8);
    const read = (): Promise<Uint8Array> => bytesOf(value, isChanged ? dtype : null);
    return { key, stored, size, read };
  });
  return writeSafetensors(tensors, metadata && readMetadata(metadata));
}

/** The entries of a Map or a plain object; null for anything else. */
function itemsOf<T>(
  value: ReadonlyMap<string, T> | Readonly<Record<string, T>>,
): [string, T][] | null {
  if (value instanceof Map) return [...(value as ReadonlyMap<string, T>)];
  if (typeof value !== "object" || value === null) return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also an object of another realm: the prototype of plain objects has no prototype itself.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain ? Object.entries(value) : null;
}

function readMetadata(metadata: NonNullable<SaveOptions["metadata"]>): [string, string][] {
  const items = itemsOf(metadata);
  const isText = ([name, text]: unknown[]): boolean =>
    typeof name === "string" && typeof text === "string";
  if (items?.every(isText)) return items;
  throw new TypeError(
    `save: metadata must be texts by their names, such as { format: "pt" }, got ${
      items
        ? `a '${String(items.find((item) => !isText(item))![0])}' that is none`
        : describe(metadata)
    }`,
  );
}

function toItems(state: SavableState): [string, SavableTensor | Entry][] {
  const fail = (got: string): never => {
    const wanted = "a state_dict, as model.stateDict() and load give it";
    throw new TypeError(`save: expected ${wanted}, got ${got}`);
  };
  const items = itemsOf(state);
  const isModule = typeof (state as { stateDict?: unknown } | null)?.stateDict === "function";
  if (items === null) return fail(isModule ? "a module: save(model.stateDict())" : describe(state));
  for (const [key, value] of items) {
    if (typeof key !== "string") fail(`one with the key ${describe(key)}`);
    if (!isSavable(value)) fail(`one whose '${key}' is ${describe(value)}, not a tensor`);
    if (key === "__metadata__") {
      fail("one with the key '__metadata__', which the format keeps for the option metadata");
    }
  }
  return items;
}

function isSavable(value: unknown): value is SavableTensor | Entry {
  const tensor = value as Partial<SavableTensor> | null | undefined;
  const isTensor = Array.isArray(tensor?.shape) && typeof tensor.dtype === "string";
  return isTensor && ("toFloat32" in tensor || typeof tensor.data === "function");
}

const isEntry = (value: SavableTensor | Entry): value is Entry => "toFloat32" in value;

const isQuantised = (value: SavableTensor | Entry): boolean =>
  isEntry(value) && value.quantizer !== undefined;

/** The bytes of the values, in their own dtype or converted. */
async function bytesOf(
  value: SavableTensor | Entry,
  to: SaveOptions["dtype"] | null,
): Promise<Uint8Array> {
  if (!isEntry(value)) {
    const data = (await value.data()) as ArrayBufferView;
    if (!to || !(data instanceof Float32Array)) return viewBytes(data);
    return viewBytes(to === "float64" ? Float64Array.from(data) : round(to, data));
  }
  if (!to || to === value.dtype) return viewBytes(value.data);
  return viewBytes(to === "float64" ? value.toFloat64() : round(to, value.toFloat32()));
}

function round(to: SaveOptions["dtype"], values: Float32Array): ArrayBufferView {
  if (to === "float16") return toFloat16Bits(values);
  return to === "bfloat16" ? toBfloat16Bits(values) : values;
}

const viewBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
