/**
 * The matrices of Winograd's convolutions F(n × n, 3 × 3). A tile of `into.length`² inputs d and a
 * kernel g give the `outOf.length`² results `A (G g Gᵀ ⊙ B d Bᵀ) Aᵀ`.
 *
 * In one dimension these are products of polynomials, computed from their values at some points: 0,
 * 1, -1 and ∞, or 0, √½, -√½, √2, -√2 and ∞, with which results have half the error that they have
 * with 1 and 2. The values at p and -p differ only in the sign of odd powers. So B and G are
 * `PAIRS` times `into` and `weights`, and A is `outOf` times `PAIRS`, where `PAIRS` replaces each
 * pair of numbers by its sum and difference and keeps the first and the last number.
 */
const [p, q] = [Math.SQRT1_2, Math.SQRT2];

export const TILES = {
  winograd2: {
    into: [[-1, 0, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, -1, 0, 1]],
    weights: [[-1, 0, 0], [1 / 2, 0, 1 / 2], [0, 1 / 2, 0], [0, 0, 1]],
    outOf: [[1, 1, 0, 0], [0, 0, 1, 1]],
  },
  winograd4: {
    into: [
      [1, 0, -2.5, 0, 1, 0],
      [0, 0, -2, 0, 1, 0],
      [0, -q, 0, p, 0, 0],
      [0, 0, -1 / 2, 0, 1, 0],
      [0, -p, 0, q, 0, 0],
      [0, 1, 0, -2.5, 0, 1],
    ],
    weights: [
      [1, 0, 0],
      [-2 / 3, 0, -1 / 3],
      [0, -q / 3, 0],
      [1 / 6, 0, 1 / 3],
      [0, q / 6, 0],
      [0, 0, 1],
    ],
    outOf: [
      [1, 1, 0, 1, 0, 0],
      [0, 0, p, 0, q, 0],
      [0, 1 / 2, 0, 2, 0, 0],
      [0, 0, p / 2, 0, 2 * q, 1],
    ],
  },
} as const satisfies Record<string, Tiles>; // prettier-ignore

export type Matrix = readonly (readonly number[])[];
export type Tiles = Readonly<Record<"into" | "weights" | "outOf", Matrix>>;
/** The algorithms by the size of their tiles. */
export type TiledAlgorithm = keyof typeof TILES;

/** Replaces pairs between the first and the last value by their sum and difference. */
export const pairs = <T>(values: readonly T[], add: (a: T, b: T) => T, sub: (a: T, b: T) => T): T[] =>
  values.map((value, i) => {
    if (i === 0 || i === values.length - 1) return value;
    return i % 2 ? add(value, values[i + 1]!) : sub(values[i - 1]!, value);
  }); // prettier-ignore
