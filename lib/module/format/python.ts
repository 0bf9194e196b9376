import { nonFinite, pythonPower } from "./decimal.js";

/** `torch.Size([4, 2])`. */
export const formatSize = (shape: readonly number[]): string => `torch.Size([${shape.join(", ")}])`;

/** The Python literals that a repr can contain. */
export type PythonValue = string | number | boolean | null | undefined | readonly PythonValue[];

/** A Python tuple: `(2, 4)`, `(4,)`, `()`. */
export function formatTuple(items: readonly PythonValue[]): string {
  const texts = items.map(formatPython);
  return texts.length === 1 ? `(${texts[0]},)` : `(${texts.join(", ")})`;
}

/** A float as PyTorch prints it: `1e-05`, `0.1`, `1.0`, `inf`. */
export function formatFloat(x: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits = "", power = ""] = x.toExponential().split("e");
    return `${digits}e${pythonPower(power)}`;
  }
  const text = Object.is(x, -0) ? "-0" : String(x);
  return text.includes(".") ? text : `${text}.0`;
}

/** A value as Python's `repr` shows it; whole numbers count as ints. */
export function formatPython(value: PythonValue): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "object") return formatTuple(value);
  return Number.isInteger(value) ? String(value) : formatFloat(value);
}
