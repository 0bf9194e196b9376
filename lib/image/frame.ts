import { expandSize } from "../arguments.js";

/** How a picture becomes an input; heights before widths. */
export interface Frame {
  /** What it is resized to. */
  readonly resized: readonly [number, number];
  /** The size of what is kept of that. */
  readonly kept: readonly [number, number];
  /** Where that begins; before 0 it is black. */
  readonly begin: readonly [number, number];
}

/**
 * Of a picture of a height and a width.
 *
 * @throws RangeError if sizes are no positive whole numbers.
 */
export function frameOf(
  from: readonly [number, number],
  size: number | readonly number[] | null,
  crop: number | readonly number[] | null,
): Frame {
  const resized = size === null ? from : resizedTo(from, size);
  if (crop === null) return { resized, kept: resized, begin: [0, 0] };
  const kept = sizesOf("crop", crop);
  return { resized, kept, begin: [centre(resized[0], kept[0]), centre(resized[1], kept[1])] };
}

function sizesOf(name: string, value: number | readonly number[]): [number, number] {
  const sizes = expandSize(`image: ${name}`, value, 2);
  if (sizes.every((one) => Number.isInteger(one) && one > 0)) return sizes as [number, number];
  throw new RangeError(`image: ${name} must be positive whole numbers, got ${sizes.join(", ")}`);
}

/** Of a number, the longer side follows, rounded down as torchvision does. */
function resizedTo(
  from: readonly [number, number],
  size: number | readonly number[],
): [number, number] {
  const sizes = sizesOf("size", size);
  if (typeof size !== "number") return sizes;
  const shorter = Math.min(...from);
  const side = (one: number): number => (one === shorter ? size : Math.floor((size * one) / shorter)); // prettier-ignore
  return [side(from[0]), side(from[1])];
}

/** Where the middle begins, as torchvision rounds: what is missing is added before it cuts. */
const centre = (size: number, kept: number): number =>
  size < kept ? -((kept - size) >> 1) : roundToEven((size - kept) / 2);

/** Python's `round`: a half goes to the even neighbour. */
function roundToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}
