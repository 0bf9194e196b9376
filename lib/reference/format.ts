import { columnFormat, formatScalar } from "./format-number.js";
import { stridesOf } from "./shape.js";

/** numpy's print options, at their defaults. */
const LINE_WIDTH = 75;
const THRESHOLD = 1000;
const EDGE_ITEMS = 3;

/**
 * An array as numpy prints it: at most 8 decimals, columns aligned, lines broken after 75
 * characters, and only the edges if there are more than 1000 elements.
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.array2string.html
 */
export function formatArray(shape: readonly number[], data: Float64Array): string {
  if (shape.length === 0) return formatScalar(data[0]!);
  if (data.length === 0) return "[]";

  const summarize = data.length > THRESHOLD;
  const strides = stridesOf(shape);
  /** The indices along each axis that are printed; -1 stands for the dots. */
  const shownAlong = shape.map((size) => {
    const all = Array.from({ length: size }, (_, i) => i);
    const hides = summarize && size > 2 * EDGE_ITEMS;
    return hides ? [...all.slice(0, EDGE_ITEMS), -1, ...all.slice(-EDGE_ITEMS)] : all;
  });

  const shownFrom = (axis: number, start: number): number[] =>
    axis === shape.length
      ? [data[start]!]
      : shownAlong[axis]!.flatMap((i) =>
          i < 0 ? [] : shownFrom(axis + 1, start + i * strides[axis]!),
        );
  const format = columnFormat(shownFrom(0, 0));

  const print = (axis: number, start: number): string => {
    const at = (i: number): number => start + i * strides[axis]!;
    const indent = " ".repeat(axis + 1);
    if (axis === shape.length - 1) {
      const words = shownAlong[axis]!.map((i) => (i < 0 ? "..." : format(data[at(i)]!)));
      return `[${fill(words, indent, LINE_WIDTH - shape.length)}]`;
    }
    const parts = shownAlong[axis]!.map((i) => (i < 0 ? "..." : print(axis + 1, at(i))));
    return `[${parts.join("\n".repeat(shape.length - 1 - axis) + indent)}]`;
  };
  return print(0, 0);
}

/** Joins words into lines of at most `width` characters, all but the first one indented. */
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
