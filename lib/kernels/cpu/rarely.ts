/**
 * Kernels that few models need. In JavaScript, because they read each number only once or a few
 * times.
 */
import type { Heap } from "./heap.js";
import type { Kernel } from "./kernel.js";
import type { LinearPointers } from "./linear.js";
import type { CopyPointers } from "./permute.js";

const inJavaScript = <Pointers>(run: (pointers: Pointers) => void): Kernel<Pointers> => ({
  ...{ onOneThread: true, workspaceBytes: 0 },
  run: (pointers, part = 0) => {
    if (part === 0) run(pointers);
  },
});

/** The shape `[outer, n, inner]` of integers or floats; the kernel works along `n`. */
interface Along {
  outer: number;
  n: number;
  inner: number;
  integers?: boolean;
}

export interface ScanSpec extends Along {
  kind: "sum" | "product";
  /** Leave out the number at the place itself. */
  exclusive?: boolean;
  /** Begin at the end. */
  reverse?: boolean;
  /** The inputs are booleans, stored as floats, and their sums are integers. */
  counts?: boolean;
}

/**
 * For fewer adjacent numbers than this, each has its own loop, since a variable is faster than an
 * array.
 */
const FEW = 8;

/** Cumulative sums or products. As in PyTorch, float sums are accumulated in float64. */
export function scan(heap: Heap, spec: ScanSpec): Kernel<CopyPointers> {
  const { outer, n, inner, kind, exclusive, reverse, integers, counts } = spec;
  const isSum = kind === "sum";
  const neutral = isSum ? 0 : 1;
  const step = reverse ? -inner : inner;
  return inJavaScript(({ x, out }) => {
    // Not subarrays, which engines read half as fast.
    const from = integers ? heap.i32 : heap.f32;
    const to = integers || counts ? heap.i32 : heap.f32;
    const moved = (out >>> 2) - (x >>> 2);
    const all = integers ? new Int32Array(inner) : new Float64Array(inner);
    const first = reverse ? (n - 1) * inner : 0;
    for (let block = 0; block < outer; block += 1) {
      const start = (x >>> 2) + block * n * inner + first;
      if (inner < FEW) {
        for (let j = 0; j < inner; j += 1) {
          let now = neutral;
          for (let i = 0, at = start + j; i < n; i += 1, at += step) {
            const before = now;
            const value = from[at]!;
            now = isSum ? before + value : before * value;
            if (integers) now |= 0;
            to[at + moved] = exclusive ? before : now;
          }
        }
        continue;
      }
      all.fill(neutral);
      for (let i = 0, row = start; i < n; i += 1, row += step) {
        for (let j = 0; j < inner; j += 1) {
          const before = all[j]!;
          const value = from[row + j]!;
          all[j] = isSum ? before + value : before * value;
          to[row + j + moved] = exclusive ? before : all[j]!;
        }
      }
    }
  });
}

/**
 * Index (int32) of the largest or smallest number: the first of equal ones, and with NaN as tfjs'
 * argMax.
 */
export function extreme(heap: Heap, spec: Along & { least?: boolean }): Kernel<CopyPointers> {
  const { outer, n, inner, integers, least } = spec;
  return inJavaScript(({ x, out }) => {
    const values = integers ? heap.i32 : heap.f32;
    const places = heap.i32.subarray(out >>> 2, (out >>> 2) + outer * inner).fill(0);
    const best = new Float64Array(inner);
    for (let block = 0; block < outer; block += 1) {
      const start = (x >>> 2) + block * n * inner;
      if (inner < FEW) {
        for (let j = 0; j < inner; j += 1) {
          let most = values[start + j]!;
          let place = 0;
          for (let i = 1, at = start + j + inner; i < n; i += 1, at += inner) {
            const value = values[at]!;
            if (least ? value < most : value > most) {
              most = value;
              place = i;
            }
          }
          places[block * inner + j] = place;
        }
        continue;
      }
      for (let j = 0; j < inner; j += 1) best[j] = values[start + j]!;
      for (let i = 1; i < n; i += 1) {
        const row = start + i * inner;
        for (let j = 0; j < inner; j += 1) {
          const value = values[row + j]!;
          if (least ? value < best[j]! : value > best[j]!) {
            best[j] = value;
            places[block * inner + j] = i;
          }
        }
      }
    }
  });
}

export interface ChoicePointers {
  x: number;
  values: number;
  /** int32. */
  indices: number;
}

const NOT_A_NUMBER = 0x7fc00000;

/**
 * The `k` largest numbers of each row with their indices, in descending order: NaN first, equal
 * ones by index.
 */
export function topK(
  heap: Heap,
  { rows, n, k, integers }: { rows: number; n: number; k: number; integers?: boolean },
): Kernel<ChoicePointers> {
  const most = Math.min(n, 2 * k + 64);
  return inJavaScript(({ x, values, indices }) => {
    const { f32, i32 } = heap;
    // Each key has the index in its lower bits, and above them bits that decrease as the number
    // grows: sorted as one integer.
    const keys = new BigUint64Array(most);
    const halves = new Uint32Array(keys.buffer);
    for (let row = 0; row < rows; row += 1) {
      const start = (x >>> 2) + row * n;
      let limit = Infinity; // numbers from here on are not among the k largest
      let size = 0;
      for (let i = 0; i < n; i += 1) {
        let bits = i32[start + i]!;
        if (integers) bits ^= bits < 0 ? 0x7fffffff : 0;
        else if (bits << 1 === 0)
          bits = 0; // -0 counts as 0
        else if (f32[start + i] !== f32[start + i]) bits = NOT_A_NUMBER;
        const key = (bits < 0 ? bits : bits ^ 0x7fffffff) >>> 0;
        if (key >= limit) continue;
        halves[2 * size] = i;
        halves[2 * size + 1] = key;
        size += 1;
        if (size < most || i === n - 1) continue;
        keys.sort();
        size = k;
        limit = halves[2 * k - 1]!;
      }
      keys.subarray(0, size).sort();
      for (let i = 0; i < k; i += 1) {
        const place = halves[2 * i]!;
        i32[(indices >>> 2) + row * k + i] = place;
        i32[(values >>> 2) + row * k + i] = i32[start + place]!;
      }
    }
  });
}

export interface MaxPlacesSpec {
  planes: number;
  /** The size of a plane, in one to three dimensions. */
  size: readonly number[];
  /** For each dimension, the input positions of each window; none is empty. */
  windows: readonly (readonly (readonly number[])[])[];
}

/** The maximum of each window and its index in the plane: the first of equal ones, the last NaN. */
export function maxPlaces(heap: Heap, spec: MaxPlacesSpec): Kernel<ChoicePointers> {
  const missing = 3 - spec.size.length;
  const [, height, width] = [...Array<number>(missing).fill(1), ...spec.size] as [number, number, number]; // prettier-ignore
  const all = [...Array<number[][]>(missing).fill([[0]]), ...spec.windows];
  const [depths, lines, columns] = all as [number[][], number[][], number[][]];
  const plane = spec.size.reduce((a, b) => a * b, 1);
  return inJavaScript(({ x, values, indices }) => {
    const { f32, i32 } = heap;
    let to = 0;
    for (let start = x >>> 2; start < (x >>> 2) + spec.planes * plane; start += plane) {
      for (const depth of depths) {
        for (const line of lines) {
          for (const column of columns) {
            let place = (depth[0]! * height + line[0]!) * width + column[0]!;
            let best = f32[start + place]!;
            for (const d of depth) {
              for (const h of line) {
                const row = (d * height + h) * width;
                for (let i = 0; i < column.length; i += 1) {
                  const at = row + column[i]!;
                  const value = f32[start + at]!;
                  if (value > best || value !== value) {
                    best = value;
                    place = at;
                  }
                }
              }
            }
            f32[(values >>> 2) + to] = best;
            i32[(indices >>> 2) + to] = place;
            to += 1;
          }
        }
      }
    }
  });
}

export interface ScatterSpec {
  /** The number of stretches, the numbers in each, and the indices for each. */
  stretches: number;
  size: number;
  each: number;
  /** The value of other elements, and the value to put if there is no `x`. */
  off: number;
  on?: number;
  integers?: boolean;
  /** Skip indices out of range instead of refusing them. */
  lenient?: boolean;
}

/** Puts numbers at the indices of their stretch; of two for one index the later counts. */
export function scatter(
  heap: Heap,
  { stretches, size, each, off, on = 1, integers, lenient }: ScatterSpec,
): Kernel<{ x?: number; indices: number; out: number }> {
  return inJavaScript(({ x, indices, out }) => {
    const { f32, i32 } = heap;
    const to = (integers ? i32 : f32).subarray(out >>> 2, (out >>> 2) + stretches * size).fill(off);
    for (let i = 0; i < stretches * each; i += 1) {
      const place = i32[(indices >>> 2) + i]!;
      if (place >= 0 && place < size) {
        to[Math.floor(i / each) * size + place] = x ? f32[(x >>> 2) + i]! : on;
      } else if (!lenient) throw new RangeError(`scatter: place ${place} is not below ${size}`);
    }
  });
}

export interface BagsSpec {
  bags: number;
  /** How many indices there are. */
  total: number;
  /** Rows of the table, and the elements of one. */
  rows: number;
  n: number;
  mode: "sum" | "mean" | "max";
  /** The index whose rows do not count; -1: none. */
  padding: number;
  /** How many offsets there are; 0: all bags have the same size. */
  offsets: number;
}

/** Sums, means or maxima of table rows for each bag. */
export function bags(
  heap: Heap,
  spec: BagsSpec,
): Kernel<{ table: number; indices: number; offsets?: number; weights?: number; out: number }> {
  const { total, rows, n, mode, padding, offsets: count } = spec;
  const width = total / spec.bags;
  return inJavaScript(({ table, indices, offsets = 0, weights, out }) => {
    const { f32, i32 } = heap;
    const list = i32.subarray(indices >>> 2, (indices >>> 2) + total);
    const first = (bag: number): number => {
      if (count === 0) return bag * width;
      return bag < count ? i32[(offsets >>> 2) + bag]! : total;
    };
    const isInside = list.every((index) => index >= 0 && index < rows);
    if (!isInside || first(0) !== 0)
      throw new RangeError("bags: not in the table, or no first bag");
    for (let bag = 0; bag < spec.bags; bag += 1) {
      const [from, to] = [first(bag), first(bag + 1)];
      if (to < from || to > total) throw new RangeError(`bags: offsets ${from} and ${to}`);
      const sum = f32.subarray((out >>> 2) + bag * n, (out >>> 2) + (bag + 1) * n);
      sum.fill(mode === "max" ? -Infinity : 0);
      let size = 0;
      for (let i = from; i < to; i += 1) {
        if (list[i] === padding) continue;
        size += 1;
        const row = (table >>> 2) + list[i]! * n;
        const by = weights ? f32[(weights >>> 2) + i]! : 1;
        for (let j = 0; j < n; j += 1) {
          const value = f32[row + j]!;
          if (mode !== "max") sum[j] = sum[j]! + value * by;
          else if (value > sum[j]! || value !== value) sum[j] = value;
        }
      }
      if (mode === "mean") for (let j = 0; j < n; j += 1) sum[j] = sum[j]! / Math.max(1, size);
      else if (size === 0) sum.fill(0);
    }
  });
}

export interface GroupsSpec {
  /** Rows of x, columns of the output, columns of x. */
  m: number;
  n: number;
  k: number;
  groups: number;
  /** The bytes of a group's packed weight. */
  each: number;
  /** What multiplies so many rows. */
  product: (rows: number) => Kernel<LinearPointers>;
}

/** Rows by groups, whose ends rise, each times a weight of its own; rows behind the last group are 0. */
export function groupedLinear(
  heap: Heap,
  { m, n, k, groups, each, product }: GroupsSpec,
): Kernel<LinearPointers & { ends: number }> {
  const run = inJavaScript<LinearPointers & { ends: number }>((p) => {
    let from = 0;
    for (let i = 0; i < groups; i += 1) {
      const end = heap.i32[(p.ends >>> 2) + i]!;
      if (end < from || end > m) throw new RangeError(`groups: end ${end} after ${from}, of ${m}`);
      const [x, out] = [p.x + from * k * 4, p.out + from * n * 4];
      if (end > from) product(end - from).run({ ...p, x, out, weight: p.weight + i * each });
      from = end;
    }
    heap.f32.fill(0, (p.out >>> 2) + from * n, (p.out >>> 2) + m * n);
  });
  return { ...run, workspaceBytes: product(m).workspaceBytes };
}
