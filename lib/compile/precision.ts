/** How weights may lie in memory. */
export type Precision = "float32" | "float16" | "bfloat16" | "int8";

const PRECISIONS: readonly Precision[] = ["float32", "float16", "bfloat16", "int8"];

export function checkPrecision(given: unknown): void {
  if ((PRECISIONS as readonly unknown[]).includes(given)) return;
  throw new TypeError(
    `compile: unknown precision ${JSON.stringify(given)}; known ones: ${PRECISIONS.join(", ")}`,
  );
}

/** @throws RangeError for a precision that a backend has no programs for. */
export function checkTarget(precision: Precision, backend: string): void {
  if (backend !== "webgl" || precision === "float32" || precision === "float16") return;
  throw new RangeError(
    `compile: precision must be "float32" or "float16" on webgl, but got "${precision}"`,
  );
}
