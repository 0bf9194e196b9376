import type { ModelSummary, SummaryRow } from "./summary-rows.js";

export type SummaryColumn = "inputSize" | "outputSize" | "numParams" | "multAdds";

type Totals = Omit<ModelSummary, "toString">;

const TITLES: Record<SummaryColumn, string> = {
  inputSize: "Input Shape",
  outputSize: "Output Shape",
  numParams: "Param #",
  multAdds: "Mult-Adds",
};

export function checkColumns(columns: readonly string[]): void {
  for (const column of columns) {
    if (Object.hasOwn(TITLES, column)) continue;
    const known = Object.keys(TITLES).join(", ");
    throw new TypeError(`summary: unknown column '${column}'; known columns: ${known}`);
  }
}

const COLUMN = 25;
const NAME = 40;
const INDENT = 5;

const number = (value: number): string => value.toLocaleString("en-US");
const shape = (size: readonly number[]): string => (size.length ? `[${size.join(", ")}]` : "--");

function layerName({ className, depth, index }: SummaryRow): string {
  return depth === 0 ? className : `${className}: ${depth}-${index}`;
}

function branch(depth: number): string {
  if (depth === 0) return "";
  return depth === 1 ? "├─" : `${"│    ".repeat(depth - 1)}└─`;
}

function params(row: SummaryRow, isLast: boolean): string {
  if (row.numParams === 0) return "--";
  if (row.isRecursive) return "(recursive)";
  if (isLast || row.isLeaf) {
    return row.trainableParams ? number(row.numParams) : `(${number(row.numParams)})`;
  }
  return row.leftoverParams > 0 ? number(row.leftoverParams) : "--";
}

function multAdds(row: SummaryRow, isLast: boolean): string {
  return row.multAdds > 0 && (isLast || row.isLeaf) ? number(row.multAdds) : "--";
}

/** `(M): 0.34`: millions, billions or trillions. */
function readable(value: number): string {
  const [unit, factor] = value >= 1e12 ? ["T", 1e12] : value >= 1e9 ? ["G", 1e9] : ["M", 1e6];
  const scaled = value / Number(factor);
  const text = Number.isInteger(scaled) ? number(scaled) : scaled.toFixed(2);
  return `(${unit}): ${text}`;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);

/** torchinfo's table. */
export function printSummary(
  totals: Totals,
  maxDepth: number,
  columns: readonly SummaryColumn[],
): string {
  const { rows } = totals;
  const longest = Math.max(...rows.map((row) => layerName(row).length + row.depth * INDENT + 1));
  const width = longest >= NAME ? Math.ceil(longest / INDENT) * INDENT : NAME;
  const line = (name: string, cells: readonly string[]): string =>
    [name.padEnd(width), ...cells.map((cell) => cell.padEnd(COLUMN))].join(" ").trimEnd();
  const divider = "=".repeat(width + columns.length * COLUMN);

  const body = rows
    .filter(({ depth }) => depth <= maxDepth)
    .map((row) => {
      const isLast = row.depth === maxDepth;
      const cells: Record<SummaryColumn, string> = {
        inputSize: shape(row.inputSize),
        outputSize: shape(row.outputSize),
        numParams: params(row, isLast),
        multAdds: multAdds(row, isLast),
      };
      return line(
        branch(row.depth) + layerName(row),
        columns.map((column) => cells[column]),
      );
    });
  const { totalParams, trainableParams, inputBytes, outputBytes, paramBytes } = totals;
  return [
    divider,
    line(
      "Layer (type:depth-idx)",
      columns.map((column) => TITLES[column]),
    ),
    divider,
    ...body,
    divider,
    `Total params: ${number(totalParams)}`,
    `Trainable params: ${number(trainableParams)}`,
    `Non-trainable params: ${number(totalParams - trainableParams)}`,
    `Total mult-adds ${readable(totals.totalMultAdds)}`,
    divider,
    `Input size (MB): ${megabytes(inputBytes)}`,
    `Forward/backward pass size (MB): ${megabytes(outputBytes)}`,
    `Params size (MB): ${megabytes(paramBytes)}`,
    `Estimated Total Size (MB): ${megabytes(inputBytes + outputBytes + paramBytes)}`,
    divider,
  ].join("\n");
}
