/**
 * Selection and sorting with the order of equal values that PyTorch has on the CPU, which is
 * determined by the algorithms: libstdc++'s `nth_element`, `sort` and `partial_sort`, and PyTorch's
 * own quickselect. Lists are permuted in place.
 */

/** Whether one element comes before another; neither does if they are equal. */
export type Before = (a: number, b: number) => boolean;

type List = Int32Array;

/** A list that is being sorted. */
interface Order {
  readonly list: List;
  readonly isBefore: Before;
}

/** The first `count` in order; the order of the others does not matter. */
export function topOf(list: List, count: number, isBefore: Before, sorted: boolean): void {
  const n = list.length;
  if (count === 0) return;
  const order = { list, isBefore };
  if (count * 64 <= n) {
    partialSort(order, 0, count, n);
    return;
  }
  nthElement(order, count - 1);
  if (sorted) sort(list, count - 1, isBefore);
}

const swap = (list: List, i: number, j: number): void => {
  const one = list[i]!;
  list[i] = list[j]!;
  list[j] = one;
};

const depthOf = (n: number): number => 2 * Math.floor(Math.log2(n));

/** Moves to `nth` the element that a sort would put there. */
function nthElement(order: Order, nth: number): void {
  const { list } = order;
  let [first, last] = [0, list.length];
  for (let depth = depthOf(last); last - first > 3; depth -= 1) {
    if (depth === 0) {
      selectByHeap(order, first, nth + 1, last);
      swap(list, first, nth);
      return;
    }
    const cut = partition(order, first, last);
    if (cut <= nth) first = cut;
    else last = cut;
  }
  insertionSort(order, first, last);
}

/** Shorter ranges are sorted by insertion. */
const FEW = 16;

/** Sorts the first `count` elements; equal ones end up in libstdc++'s order. */
export function sort(list: List, count: number, isBefore: Before): void {
  if (count === 0) return;
  const order = { list, isBefore };
  sortRoughly(order, 0, count, depthOf(count));
  insertionSort(order, 0, Math.min(count, FEW));
  for (let i = FEW; i < count; i += 1) insert(order, i);
}

function sortRoughly(order: Order, first: number, end: number, depth: number): void {
  let last = end;
  for (let left = depth; last - first > FEW; left -= 1) {
    if (left === 0) {
      partialSort(order, first, last, last);
      return;
    }
    const cut = partition(order, first, last);
    sortRoughly(order, cut, last, left - 1);
    last = cut;
  }
}

/** Partitions around the median of three, which is moved to the front. */
function partition(order: Order, first: number, end: number): number {
  const { list, isBefore } = order;
  const [a, b, c] = [first + 1, first + ((end - first) >> 1), end - 1];
  const [x, y, z] = [list[a]!, list[b]!, list[c]!];
  const median = isBefore(x, y)
    ? isBefore(y, z) ? b : isBefore(x, z) ? c : a
    : isBefore(x, z) ? a : isBefore(y, z) ? c : b; // prettier-ignore
  swap(list, first, median);
  const pivot = list[first]!;
  let [low, high] = [first + 1, end];
  for (;;) {
    while (isBefore(list[low]!, pivot)) low += 1;
    high -= 1;
    while (isBefore(pivot, list[high]!)) high -= 1;
    if (low >= high) return low;
    swap(list, low, high);
    low += 1;
  }
}

function insertionSort(order: Order, first: number, last: number): void {
  const { list, isBefore } = order;
  for (let i = first + 1; i < last; i += 1) {
    const one = list[i]!;
    if (!isBefore(one, list[first]!)) insert(order, i);
    else {
      list.copyWithin(first + 1, first, i);
      list[first] = one;
    }
  }
}

function insert(order: Order, at: number): void {
  const { list, isBefore } = order;
  const one = list[at]!;
  let i = at;
  for (; isBefore(one, list[i - 1]!); i -= 1) list[i] = list[i - 1]!;
  list[i] = one;
}

function partialSort(order: Order, first: number, middle: number, last: number): void {
  selectByHeap(order, first, middle, last);
  for (let end = middle - 1; end > first; end -= 1) popHeap(order, first, end, end);
}

function selectByHeap(order: Order, first: number, middle: number, last: number): void {
  const { list, isBefore } = order;
  const size = middle - first;
  for (let parent = (size - 2) >> 1; parent >= 0; parent -= 1) {
    sink(order, first, parent, size, list[first + parent]!);
  }
  for (let i = middle; i < last; i += 1) {
    if (isBefore(list[i]!, list[first]!)) popHeap(order, first, middle, i);
  }
}

/** Moves the top of the heap to a position, and the element there into the heap. */
function popHeap(order: Order, first: number, last: number, to: number): void {
  const { list } = order;
  const one = list[to]!;
  list[to] = list[first]!;
  sink(order, first, 0, last - first, one);
}

function sink(order: Order, first: number, from: number, size: number, one: number): void {
  const { list, isBefore } = order;
  let hole = from;
  let child = from;
  while (child < (size - 1) >> 1) {
    child = 2 * (child + 1);
    if (isBefore(list[first + child]!, list[first + child - 1]!)) child -= 1;
    list[first + hole] = list[first + child]!;
    hole = child;
  }
  if (size % 2 === 0 && child === (size - 2) >> 1) {
    child = 2 * child + 1;
    list[first + hole] = list[first + child]!;
    hole = child;
  }
  for (let parent = (hole - 1) >> 1; hole > from; parent = (hole - 1) >> 1) {
    if (!isBefore(list[first + parent]!, one)) break;
    list[first + hole] = list[first + parent]!;
    hole = parent;
  }
  list[first + hole] = one;
}

/** Selects one position, by the algorithm of PyTorch's `kthvalue`. */
export function quickSelect(list: List, k: number, isBefore: Before): void {
  const isAfter: Before = (a, b) => isBefore(b, a);
  let [left, right] = [0, list.length - 1];
  while (right > left) {
    if (right === left + 1) {
      if (isAfter(list[left]!, list[right]!)) swap(list, left, right);
      return;
    }
    swap(list, left + ((right - left) >> 1), left + 1);
    if (isAfter(list[left + 1]!, list[right]!)) swap(list, left + 1, right);
    if (isAfter(list[left]!, list[right]!)) swap(list, left, right);
    if (isAfter(list[left + 1]!, list[left]!)) swap(list, left + 1, left);
    let [i, j] = [left + 1, right];
    const pivot = list[left]!;
    for (;;) {
      do i += 1;
      while (isAfter(pivot, list[i]!));
      do j -= 1;
      while (isAfter(list[j]!, pivot));
      if (j < i) break;
      swap(list, i, j);
    }
    swap(list, left, j);
    if (j <= k) left = i;
    if (j >= k) right = j - 1;
  }
}
