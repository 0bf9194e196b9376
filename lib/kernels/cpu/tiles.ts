/**
 * The matrices of Winograd's convolutions F(n × n, 3 × 3). A tile of `into.length`² numbers d and a kernel g
 * give the `outOf.length`² results `A (G g Gᵀ ⊙ B d Bᵀ) Aᵀ`.
 *
 * In one dimension they are polynomials, multiplied by their values at points: 0, 1, -1 and ∞, or 0, √½, -√½,
 * √2, -√2 and ∞, with which results have half the error that they have with 1 and 2. What p and -p give differs
 * in the sign of odd powers. So B and G are `PAIRS` times `into` and `weights`, A is `outOf` times `PAIRS`:
 * of each pair of numbers the sum and the difference, the first number and the last one as they are.
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
/** By how many results a tile has on a side. */
export type TiledAlgorithm = keyof typeof TILES;

/** Of what lies between the first and the last one the sums and differences of pairs. */
export const pairs = <T>(values: readonly T[], add: (a: T, b: T) => T, sub: (a: T, b: T) => T): T[] =>
  values.map((value, i) => {
    if (i === 0 || i === values.length - 1) return value;
    return i % 2 ? add(value, values[i + 1]!) : sub(values[i - 1]!, value);
  }); // prettier-ignore
