/** The largest number of decimals. */
const PRECISION = 8;

const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0);

/** The parts of a number's text: `-1`, `.`, `25`, `e`, `+`, `07`. */
interface Parts {
  integer: string;
  fraction: string;
  exponentSign: string;
  exponent: string;
}

/**
 * One format for all numbers of an array, by numpy's rules: positional if they are between 1e-4 and
 * 1e8 and within a factor of 1000 of each other, else scientific; aligned at the decimal point.
 */
export function columnFormat(values: readonly number[]): (x: number) => string {
  const finite = values.filter(Number.isFinite);
  const scientific = isScientific(finite);
  const texts = finite.map((x) => (scientific ? scientificParts(x) : positionalParts(x)));
  const widest = (part: keyof Parts): number => Math.max(0, ...texts.map((t) => t[part].length));

  const precision = widest("fraction");
  const exponentDigits = widest("exponent");
  const rightWidth = precision + (scientific ? 2 + exponentDigits : 0);
  const nonFinite = values.filter((x) => !Number.isFinite(x));
  const leftWidth = Math.max(
    widest("integer"),
    ...nonFinite.map((x) => formatNonFinite(x).length - 1 - rightWidth),
  );

  return (x) => {
    if (!Number.isFinite(x)) return formatNonFinite(x).padStart(leftWidth + 1 + rightWidth);
    if (!scientific) {
      const { integer, fraction } = positionalParts(x);
      return `${integer.padStart(leftWidth)}.${fraction.padEnd(rightWidth)}`;
    }
    const { integer, fraction, exponentSign, exponent } = split(x, round(x, precision, true));
    const digits = exponent.padStart(exponentDigits, "0");
    return `${integer.padStart(leftWidth)}.${fraction}e${exponentSign}${digits}`;
  };
}

/** A single number as Python prints a float: with the fewest digits that identify it. */
export function formatScalar(x: number): string {
  if (!Number.isFinite(x)) return formatNonFinite(x);
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const { integer, fraction, exponentSign, exponent } = split(x, size.toExponential());
    return `${integer}${fraction && "."}${fraction}e${exponentSign}${exponent}`;
  }
  const { integer, fraction } = split(x, String(size));
  return `${integer}.${fraction || "0"}`;
}

const formatNonFinite = (x: number): string => {
  if (Number.isNaN(x)) return "nan";
  return x < 0 ? "-inf" : "inf";
};

function isScientific(finite: readonly number[]): boolean {
  const sizes = finite.map(Math.abs).filter((size) => size !== 0);
  const max = Math.max(...sizes);
  const min = Math.min(...sizes);
  return sizes.length > 0 && (max >= 1e8 || min < 1e-4 || max / min > 1000);
}

function positionalParts(x: number): Parts {
  return trim(split(x, round(x, PRECISION, false)));
}

/** The fewest digits that identify it, cut to 8 decimals. */
function scientificParts(x: number): Parts {
  const shortest = split(x, Math.abs(x).toExponential());
  if (shortest.fraction.length <= PRECISION) return shortest;
  return trim(split(x, round(x, PRECISION, true)));
}

function split(x: number, text: string): Parts {
  const [digits = "", power = "+0"] = text.split("e");
  const [integer = "", fraction = ""] = digits.split(".");
  return {
    integer: (isNegative(x) ? "-" : "") + integer,
    fraction,
    exponentSign: power[0]!,
    exponent: power.slice(1).padStart(2, "0"),
  };
}

const trim = (parts: Parts): Parts => ({ ...parts, fraction: parts.fraction.replace(/0+$/, "") });

/** |x| with that many decimals. A tie is rounded to even, where JavaScript would round up. */
function round(x: number, decimals: number, scientific: boolean): string {
  const write = (digits: number): string =>
    scientific ? Math.abs(x).toExponential(digits) : Math.abs(x).toFixed(digits);
  const [digits = "", power] = write(decimals).split("e");
  const [exact = ""] = write(100).split("e");
  const isTie = /^50*$/.test(exact.slice(digits.length));
  const last = Number(digits.at(-1));
  const even = isTie && last % 2 === 1 ? digits.slice(0, -1) + String(last - 1) : digits;
  return power === undefined ? even : `${even}e${power}`;
}
