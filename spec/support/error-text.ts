/**
 * PyTorch's sentence for an error against ours. Ours says the same words, with what came and what was
 * expected beside them; where PyTorch speaks of its own inside, a rule says what ours has instead.
 */

/** The same words, however lists, quotes and dtypes are written. */
function words(text: string): string {
  return text
    .replace(/long int/g, "int")
    .replace(/\bLong(?=Tensor\b)|\b(Long|int64|int32)\b/g, "Int")
    .replace("<class 'torch.Tensor'>", "Tensor")
    .replace(/^(Argument #\d|\w+(\(\))?): /, "")
    .replace(/torch\.Size/g, "")
    .replace(/ Target sizes: .*/, "")
    .replace(/(\d)\.0\b/g, "$1")
    .toLowerCase()
    .replace(/[^a-z0-9.*+-]+/g, " ")
    .replace(/\.(?!\d)/g, " ")
    .replace(/ +/g, " ")
    .trim();
}

/** Of PyTorch's sentence, and what ours says in its place. */
const RULES: readonly (readonly [torch: RegExp, ours: RegExp])[] = [
  // The name of a C++ kernel says nothing to a user: ours is the function's.
  [
    /not implemented for '|expected scalar type|Integral inputs|floating point|cast to the desired|have the same dtype/,
    /not implemented for '|expected .*scalar type|floating point|have the same dtype|cast to the desired/,
  ],
  [
    /with (a|two) bool tensors?|on a bool tensor|not implemented for 'Bool'/,
    /Boolean inputs not supported/,
  ],
  // Python's way of calling C++.
  [
    /expected stride to be a single|invalid combination of arguments|failed to unpack|should contain one int|internal error: output_size|output_size must be|must either be a single|not enough values|tuple index|exactly (two|three) elements/,
    /must be a single int or an array|expected a 4-dimensional weight|output_size must be|must either be a single/,
  ],
  [/^It is expected \w+ equals to 2, but got size/, /must be a single int or an array of 2 ints/],
  // One dimension is two to PyTorch, and planes belong to the size.
  [
    /Given input size: .*Output size is too small|Invalid computed output size|effective kernel size overflows/,
    /Calculated (padded input|output) size/,
  ],
  [
    /invalid max index|Expected shape of indices|Input to max_unpooling/,
    /invalid max index|Expected shape of indices|Expected \dD or \dD/,
  ],
  // It names the sides of a kernel, a stride … one by one.
  [
    /_height|dilationH|pool height|\(H: /,
    /greater than zero, but got|must be smaller than|pool size|greater than 0, but got/,
  ],
  [/stride should not be zero|must be greater than zero/, /should be greater than zero/],
  // Ranks and sizes that it finds wrong deep inside.
  [
    /Dimension out of range|non-empty \dD|non-zero size|Input dimension should be|Trying to create tensor with negative|Expected i < index_size|division or modulo by zero|t\(\) expects|narrow\(\)/,
    /Expected \dD|output_size must be|greater than or equal to 0|index out of range|greater than 0, got 0|expected a weight of shape|negative output size/,
  ],
  [
    /normalized_shape=\[2, 2\], expected input with shape \[\*2, 2\]/,
    /expected input with shape \[\*, 2, 2\]/,
  ],
  [/inconsistent|target tensor should be 1-D/, /expected scalar type Long/],
  [/elements of output_size/, /elements of output_size/],
  [/input batch dimensions do not match/, /input batch dimensions do not match/],
  [
    /expected (grid|input) to have|expected (padding_)?mode to be/,
    /expected (grid|input) to have|expected (padding_)?mode to be/,
  ],
  [
    /same number of spatial dimensions|Only 3D, 4D and 5D/,
    /same number of spatial dimensions|mode needs/,
  ],
  [/is not valid/, /is not a valid value for reduction/],
];

/** Whether ours says what PyTorch says, or the better part of it. */
export function saysTheSame(torch: string, ours: string): boolean {
  const [theirs, own] = [words(torch), words(ours)];
  if (own.includes(theirs)) return true;
  if (theirs.includes(own) && own.split(" ").length > 6) return true;
  return RULES.some(([before, after]) => before.test(torch) && after.test(ours));
}
