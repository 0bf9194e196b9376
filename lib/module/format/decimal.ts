/** Decimal texts of floats as Python and numpy write them. */

export const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0);

export function nonFinite(x: number): string {
  if (Number.isNaN(x)) return "nan";
  return x < 0 ? "-inf" : "inf";
}

/** Python's `f"{x:.{decimals}f}"` or, with an exponent, `f"{x:.{decimals}e}"`. */
export function toDecimal(x: number, decimals: number, exponent: boolean): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const [digits = "", power] = round(Math.abs(x), decimals, exponent);
  const text = (isNegative(x) ? "-" : "") + digits;
  return power === undefined ? text : `${text}e${pythonPower(power)}`;
}

/** `-5` becomes `-05`: Python's exponents have two digits. */
export const pythonPower = (power: string): string => power[0]! + power.slice(1).padStart(2, "0");

/** Rounds a tie to even, as C does; JavaScript's own methods round it up. */
export function round(
  x: number,
  decimals: number,
  exponent: boolean,
): [digits: string, power?: string] {
  if (!exponent && x >= 1e21) return [BigInt(x).toString() + "." + "0".repeat(decimals)];
  const write = (count: number): string => (exponent ? x.toExponential(count) : x.toFixed(count));
  const [digits = "", power] = write(decimals).split("e");
  const [exact = ""] = write(100).split("e");
  const behind = exact.slice(digits.length).replace(".", "");
  const last = Number(digits.at(-1));
  const even =
    /^50*$/.test(behind) && last % 2 === 1 ? `${digits.slice(0, -1)}${last - 1}` : digits;
  return power === undefined ? [even] : [even, power];
}
