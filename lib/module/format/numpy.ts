import { isNegative, nonFinite, pythonPower, round } from "./decimal.js";
import { formatPython } from "./python.js";
import { shownOf } from "./shown.js";
import type { TorchDtype } from "./torch.js";

/** numpy's print options, at their defaults. */
const PRECISION = 8;
const LINE_WIDTH = 75;

type Numbers = ArrayLike<number>;

/**
 * The text of `print(array)` for a numpy array of float32, int64 or bool: with the fewest digits
 * that distinguish a value from its neighbours, at most eight decimals, and columns aligned.
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.array2string.html
 */
export function formatNumpy(
  data: Numbers,
  shape: readonly number[],
  { dtype = "float32" }: { dtype?: TorchDtype } = {},
): string {
  if (shape.length === 0) return dtype === "float32" ? scalar(data[0]!) : plain(data[0]!, dtype);
  if (data.length === 0) return "[]";
  const { axes, strides, values } = shownOf(data, shape);
  const format = columnFormat(values, dtype);

  const print = (axis: number, start: number): string => {
    const at = (i: number): number => start + i * strides[axis]!;
    const indent = " ".repeat(axis + 1);
    if (axis === shape.length - 1) {
      const words = axes[axis]!.map((i) => (i === null ? "..." : format(data[at(i)]!)));
      return `[${fill(words, indent, LINE_WIDTH - shape.length)}]`;
    }
    const parts = axes[axis]!.map((i) => (i === null ? "..." : print(axis + 1, at(i))));
    return `[${parts.join("\n".repeat(shape.length - 1 - axis) + indent)}]`;
  };
  return print(0, 0);
}

function fill(words: readonly string[], indent: string, width: number): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of words) {
    if (line.length + word.length > width && line.length > indent.length) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  lines.push(line.slice(0, -1));
  return lines.join("\n").slice(indent.length);
}

const plain = (value: number, dtype: TorchDtype): string =>
  dtype === "bool" ? formatPython(value !== 0) : String(value);

function columnFormat(values: readonly number[], dtype: TorchDtype): (value: number) => string {
  if (dtype === "float32") return floatColumn(values);
  const widest = Math.max(...values.map((value) => plain(value, dtype).length));
  const width = dtype === "bool" ? "False".length : widest;
  return (value) => plain(value, dtype).padStart(width);
}

/** The digits of a float before and after the point, and its exponent, if any. */
interface Parts {
  integer: string;
  fraction: string;
  power: string;
}

function split(x: number, digits: string, power = ""): Parts {
  const [integer = "", fraction = ""] = digits.split(".");
  const trimmed = fraction.replace(/0+$/, "");
  return { integer: (isNegative(x) ? "-" : "") + integer, fraction: trimmed, power };
}

/** The fewest digits that give the same float32 when read back, as `1.25e+3`. */
function shortest(size: number): string {
  for (let digits = 0; digits < 9; digits += 1) {
    const [mantissa, power] = round(size, digits, true);
    const text = `${mantissa}e${power}`;
    if (Math.fround(Number(text)) === size) return text;
  }
  return size.toExponential();
}

function parts(x: number, scientific: boolean, decimals = PRECISION): Parts {
  const size = Math.abs(x);
  const text = shortest(size);
  const [digits = "", power = "+0"] = scientific ? text.split("e") : [plainDigits(Number(text))];
  const behind = digits.split(".")[1] ?? "";
  if (behind.length <= decimals) return split(x, digits, scientific ? power : "");
  return split(x, ...round(size, decimals, scientific));
}

/** Digits without an exponent, whatever the size. */
function plainDigits(x: number): string {
  const text = String(x);
  return text.includes("e") ? x.toFixed(100) : text;
}

function floatColumn(values: readonly number[]): (value: number) => string {
  const finite = values.filter(Number.isFinite);
  const sizes = finite.map(Math.abs).filter((size) => size !== 0);
  const max = Math.max(...sizes);
  const min = Math.min(...sizes);
  // numpy divides in float32, as the array is.
  const scientific =
    sizes.length > 0 && (max >= 1e6 || min < Math.fround(1e-4) || Math.fround(max / min) > 1000);
  const all = finite.map((x) => parts(x, scientific));
  const widest = (part: keyof Parts): number => Math.max(0, ...all.map((p) => p[part].length));
  const decimals = widest("fraction");
  const powerDigits = Math.max(2, widest("power") - 1);
  const right = decimals + (scientific ? 2 + powerDigits : 0);
  const others = values.filter((x) => !Number.isFinite(x)).map((x) => nonFinite(x).length);
  const left = Math.max(widest("integer"), ...others.map((length) => length - 1 - right));

  return (x) => {
    if (!Number.isFinite(x)) return nonFinite(x).padStart(left + 1 + right);
    if (!scientific) {
      const { integer, fraction } = parts(x, false);
      return `${integer.padStart(left)}.${fraction.padEnd(right)}`;
    }
    // All numbers get the same number of digits; those beyond the shortest form are digits of the
    // exact value.
    const [digits, power = ""] = round(Math.abs(x), decimals, true);
    const { integer } = split(x, digits);
    const fraction = digits.split(".")[1] ?? "";
    return `${integer.padStart(left)}.${fraction}e${power[0]}${power.slice(1).padStart(powerDigits, "0")}`;
  };
}

/** A lone float32 as numpy's scalar prints. */
function scalar(x: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  const scientific = size !== 0 && (size < 1e-4 || size >= 1e6);
  const { integer, fraction, power } = parts(x, scientific, 100);
  if (!scientific) return `${integer}.${fraction || "0"}`;
  return `${integer}${fraction && "."}${fraction}e${pythonPower(power)}`;
}
