import { toDecimal } from "./decimal.js";
import { formatPython } from "./python.js";
import { shownOf } from "./shown.js";

/** PyTorch's print options, at their defaults. */
const PRECISION = 4;
const LINE_WIDTH = 80;

export type TorchDtype = "float32" | "int64" | "bool";

export interface TorchFormatOptions {
  /** Default: `float32`. */
  dtype?: TorchDtype;
  /** Add `requires_grad=True`. Default: `false`. */
  requiresGrad?: boolean;
}

type Numbers = ArrayLike<number>;

/**
 * The text of `print(tensor)`: four decimals, columns aligned, lines of 80 characters, and only the
 * edges of what has more than 1000 elements.
 *
 * Source: `torch/_tensor_str.py`,
 * https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
 */
export function formatTorch(
  data: Numbers,
  shape: readonly number[],
  { dtype = "float32", requiresGrad = false }: TorchFormatOptions = {},
): string {
  const suffixes: string[] = [];
  if (data.length === 0 && (shape.length !== 1 || shape[0] !== 0)) {
    suffixes.push(`size=${formatPython(shape)}`);
  }
  if (data.length === 0 && dtype !== "float32") suffixes.push(`dtype=torch.${dtype}`);
  if (requiresGrad) suffixes.push("requires_grad=True");
  return addSuffixes(`tensor(${body(data, shape, dtype)}`, suffixes);
}

function addSuffixes(text: string, suffixes: readonly string[]): string {
  const indent = "tensor(".length;
  let out = text;
  // PyTorch's count of characters is two too high, and so is this.
  let lastLine = text.length - text.lastIndexOf("\n") + 1;
  for (const suffix of suffixes) {
    if (lastLine + suffix.length + 2 > LINE_WIDTH) {
      out += `,\n${" ".repeat(indent)}${suffix}`;
      lastLine = indent + suffix.length;
    } else {
      out += `, ${suffix}`;
      lastLine += suffix.length + 2;
    }
  }
  return `${out})`;
}

function body(data: Numbers, shape: readonly number[], dtype: TorchDtype): string {
  if (data.length === 0) return "[]";
  const { axes, strides, values } = shownOf(data, shape);
  const { format, width } = elementFormat(values, dtype);
  if (shape.length === 0) return format(data[0]!);

  const print = (axis: number, start: number, indent: number): string => {
    const at = (i: number): number => start + i * strides[axis]!;
    if (axis === shape.length - 1) {
      const words = axes[axis]!.map((i) => (i === null ? " ..." : format(data[at(i)]!)));
      return `[${fill(words, width, indent)}]`;
    }
    const parts = axes[axis]!.map((i) => (i === null ? "..." : print(axis + 1, at(i), indent + 1)));
    const gap = `,${"\n".repeat(shape.length - 1 - axis)}${" ".repeat(indent + 1)}`;
    return `[${parts.join(gap)}]`;
  };
  return print(0, 0, "tensor(".length);
}

/** As many elements a line as fit. */
function fill(words: readonly string[], width: number, indent: number): string {
  const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (width + 2)));
  const lines: string[] = [];
  for (let i = 0; i < words.length; i += perLine) {
    lines.push(words.slice(i, i + perLine).join(", "));
  }
  return lines.join(`,\n${" ".repeat(indent + 1)}`);
}

interface ElementFormat {
  format: (value: number) => string;
  width: number;
}

/** One format for all elements; its width is that of the widest one. */
function elementFormat(values: readonly number[], dtype: TorchDtype): ElementFormat {
  const write = dtype === "float32" ? floatFormat(values) : plainFormat(dtype);
  const sized = dtype === "float32" ? values.filter((x) => Number.isFinite(x) && x !== 0) : values;
  const width = Math.max(1, ...sized.map((value) => write(value).length));
  return { width, format: (value) => write(value).padStart(width) };
}

function plainFormat(dtype: TorchDtype): (value: number) => string {
  return dtype === "bool" ? (value) => formatPython(value !== 0) : String;
}

/**
 * Whole numbers are printed as `1.`, others with four decimals; all with an exponent if their
 * magnitudes differ much.
 */
function floatFormat(values: readonly number[]): (value: number) => string {
  const sizes = values.filter((x) => Number.isFinite(x) && x !== 0).map(Math.abs);
  const max = sizes.reduce((a, b) => Math.max(a, b), -Infinity);
  const min = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const scientific = sizes.length > 0 && (max / min > 1000 || max > 1e8 || min < 1e-4);
  if (scientific) return (value) => toDecimal(value, PRECISION, true);
  if (!sizes.every(Number.isInteger)) return (value) => toDecimal(value, PRECISION, false);
  return (value) => toDecimal(value, 0, false) + (Number.isFinite(value) ? "." : "");
}
