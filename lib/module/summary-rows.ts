/** One call of one module. */
export interface SummaryRow {
  className: string;
  /** The path of the module in the model; `""` is the model. */
  path: string;
  depth: number;
  /** Which one it is at its depth, from 1. */
  index: number;
  isLeaf: boolean;
  /** Whether the module has been called before. */
  isRecursive: boolean;
  inputSize: number[];
  outputSize: number[];
  outputBytes: number;
  /** Own and below, those that a module and its children share once. */
  numParams: number;
  trainableParams: number;
  paramBytes: number;
  multAdds: number;
}

/** What `summary` found; `String(it)` is the table. */
export interface ModelSummary {
  rows: SummaryRow[];
  totalParams: number;
  trainableParams: number;
  totalMultAdds: number;
  /** In bytes. The pass counts every layer with parameters twice, for its gradient, as torchinfo. */
  inputBytes: number;
  outputBytes: number;
  paramBytes: number;
  toString(): string;
}

/** The rows below a row: those that follow it and lie deeper. */
export function below(rows: readonly SummaryRow[], row: SummaryRow): SummaryRow[] {
  const start = rows.indexOf(row) + 1;
  const end = rows.findIndex((other, i) => i >= start && other.depth <= row.depth);
  return rows.slice(start, end === -1 ? undefined : end);
}

/** The parameters of a module that no row below it counts. */
export function leftover(
  rows: readonly SummaryRow[],
  row: SummaryRow,
  key: "numParams" | "trainableParams",
): number {
  if (row.isLeaf) return row[key];
  return below(rows, row)
    .filter(({ isRecursive }) => !isRecursive)
    .reduce((rest, child) => rest - leftover(rows, child, key), row[key]);
}
