import { expandSize } from "../arguments.js";

/** How a picture is resized and cropped; heights come before widths. */
export interface Frame {
  /** The size that the picture is resized to. */
  readonly resized: readonly [number, number];
  /** The size of the crop. */
  readonly kept: readonly [number, number];
  /** Where the crop begins in the resized picture; negative where the border is black. */
  readonly begin: readonly [number, number];
}

/**
 * Computes the frame for a picture's height and width.
 *
 * @throws RangeError if sizes are not positive integers.
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

/**
 * If a single number is given, it is the shorter side; the longer side is rounded down, as in
 * torchvision.
 */
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

/**
 * Where a centre crop begins, with torchvision's rounding; it pads first where the picture is
 * smaller.
 */
const centre = (size: number, kept: number): number =>
  size < kept ? -((kept - size) >> 1) : roundToEven((size - kept) / 2);

/** Python's `round`: a half goes to the even neighbour. */
function roundToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}
