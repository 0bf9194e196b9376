/** torchvision's `_make_divisible`: the nearest multiple of 8, but not below 90 % of the value. */
export function multipleOf8(value: number): number {
  const nearest = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return nearest < 0.9 * value ? nearest + 8 : nearest;
}
