import { DTYPES, isDtype } from "./dtype.js";
import type { Entry } from "./entry.js";
import { CheckpointError } from "./errors.js";
import { toBfloat16Bits, toFloat16Bits } from "./half.js";
import { safetensorsName, writeSafetensors } from "./safetensors-write.js";
import { numelOf } from "./strided.js";

/** A tfjs tensor, as far as saving needs it. */
export interface SavableTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  data(): Promise<object>;
}

export type SavableState =
  ReadonlyMap<string, SavableTensor | Entry> | Readonly<Record<string, SavableTensor | Entry>>;

const FLOATS = ["float16", "bfloat16", "float32", "float64"] as const;

export interface SaveOptions {
  /**
   * What floating-point tensors (and quantised ones, dequantised) become, rounded as PyTorch
   * rounds. Default: they stay what they are.
   */
  dtype?: (typeof FLOATS)[number] | undefined;
  /** Texts about the file, for its header: `{ format: "pt" }` is what some Python tools look for. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

export async function save(
  state: SavableState,
  options: SaveOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { dtype, metadata, ...unknown } = options;
  const [unexpected] = Object.keys(unknown);
  if (unexpected !== undefined) {
    throw new TypeError(
      `save got an unexpected option '${unexpected}'; known options: dtype, metadata`,
    );
  }
  if (dtype !== undefined && !FLOATS.includes(dtype)) {
    throw new TypeError(`save: dtype must be one of ${FLOATS.join(", ")}, got '${String(dtype)}'`);
  }
  if (Object.values(metadata ?? {}).some((text) => typeof text !== "string")) {
    throw new TypeError("save: metadata must be texts by their names");
  }
  const tensors = toItems(state).map(([key, value]) => {
    const from = value.dtype;
    const isChanged =
      dtype !== undefined && (/^b?float(8|16|32|64)/.test(from) || isQuantised(value));
    const to = isChanged ? dtype : from;
    const isKnown = isDtype(to) && safetensorsName(to) !== undefined;
    if (!isKnown) {
      throw new CheckpointError(`'${key}' is ${to}, for which safetensors has no dtype`, { key });
    }
    const size = Math.ceil((numelOf(value.shape) * DTYPES[to].bits) / 8);
    const read = (): Promise<Uint8Array> => bytesOf(value, isChanged ? dtype : null);
    return { key, dtype: to, shape: value.shape, size, read };
  });
  return writeSafetensors(tensors, metadata);
}

function toItems(state: SavableState): [string, SavableTensor | Entry][] {
  const isRecord = typeof state === "object" && state !== null;
  const items = state instanceof Map ? [...state] : isRecord ? Object.entries(state) : null;
  const bad = items?.find(([key, value]) => !isSavable(value) || key === "__metadata__");
  if (items && !bad) return items as [string, SavableTensor | Entry][];
  throw new TypeError(
    "save: expected a state_dict, as model.stateDict() and load give it, got " +
      (bad ? `one whose '${String(bad[0])}' is no tensor` : `a ${typeof state}`),
  );
}

function isSavable(value: unknown): value is SavableTensor | Entry {
  const tensor = value as Partial<SavableTensor> | null | undefined;
  const isTensor = Array.isArray(tensor?.shape) && typeof tensor.dtype === "string";
  return isTensor && ("toFloat32" in tensor || typeof tensor.data === "function");
}

const isEntry = (value: SavableTensor | Entry): value is Entry => "toFloat32" in value;

const isQuantised = (value: SavableTensor | Entry): boolean =>
  isEntry(value) && value.quantizer !== undefined;

/** The values as they are, or in the dtype that they become. */
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
