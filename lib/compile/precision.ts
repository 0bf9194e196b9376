/** How weights may lie in memory. */
export type Precision = "float32" | "float16" | "bfloat16" | "int8";

const PRECISIONS: readonly Precision[] = ["float32", "float16", "bfloat16", "int8"];

export function checkPrecision(given: unknown): void {
  if ((PRECISIONS as readonly unknown[]).includes(given)) return;
  throw new TypeError(
    `compile: unknown precision ${JSON.stringify(given)}; known ones: ${PRECISIONS.join(", ")}`,
  );
}
