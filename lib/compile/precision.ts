/** The types in which weights can be stored. */
export type Precision = "float32" | "float16" | "bfloat16" | "int8";

const PRECISIONS: readonly Precision[] = ["float32", "float16", "bfloat16", "int8"];

const BY_BACKEND: Readonly<Record<string, readonly Precision[]>> = {
  cpu: PRECISIONS,
  wasm: PRECISIONS,
  webgl: ["float32", "float16"],
};

export function checkPrecision(given: unknown): void {
  if ((PRECISIONS as readonly unknown[]).includes(given)) return;
  throw new TypeError(
    `compile: unknown precision ${JSON.stringify(given)}; known ones: ${PRECISIONS.join(", ")}`,
  );
}

/** @throws RangeError if a backend has no kernels for that precision. */
export function checkTarget(precision: Precision, backend: string): void {
  const known = BY_BACKEND[backend] ?? ["float32"];
  if (known.includes(precision)) return;
  const names = known.map((name) => `"${name}"`).join(" or ");
  throw new RangeError(`compile: precision must be ${names} on ${backend}, but got "${precision}"`);
}
