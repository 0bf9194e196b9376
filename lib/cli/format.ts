/** Formats numbers for people. */

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** `1.5 MB`, with units of 1000. */
export function formatBytes(bytes: number): string {
  const power = Math.max(0, Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

/** `1,234,567`, whatever the system's language. */
export const formatCount = (count: number): string => count.toLocaleString("en-US");

/** `1 tensor`, `2 tensors`. */
export const plural = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
