import Table from "cli-table3";
import type { Command } from "commander";
import { type CheckpointInfo, inspect } from "../checkpoint/index.js";
import { formatBytes, plural } from "./format.js";
import type { Terminal } from "./program.js";

interface Options {
  json?: boolean;
  key?: string;
}

/** `sconce inspect FILE|URL`: what is in a checkpoint; of the tensors, nothing is read. */
export function addInspect(program: Command, { out, signal }: Terminal): void {
  program
    .command("inspect")
    .description("list the tensors of a checkpoint, reading its headers only")
    .argument(
      "<file>",
      "a path or URL: .safetensors, .pt, .pth, .bin, .ckpt, .npz, .npy, .index.json, .pt2",
    )
    .option("--json", "print JSON")
    .option("--key <path>", "where in a trainer's file the state_dict is, as in load")
    .action(async (file: string, { json, key }: Options) => {
      if (file.endsWith(".pt2")) return out(await describeProgram(file, signal));
      const info = await inspect(file, { key, signal });
      out(json ? `${JSON.stringify(toJson(file, info), null, 2)}\n` : toText(file, info));
    });
}

/** Of an exported program there is more to see than its weights. */
async function describeProgram(file: string, signal: AbortSignal | undefined): Promise<string> {
  const { setBackend } = await import("../backend.js");
  const { loadExported } = await import("../exported/index.js");
  await setBackend("cpu");
  const program = await loadExported(file, { signal });
  const text = String(program);
  program.dispose();
  return printable(text, /(?!\n)[\p{Cc}\p{Cf}]/gu);
}

const numel = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function totals({ tensors }: CheckpointInfo) {
  let elements = 0;
  let bytes = 0;
  for (const tensor of tensors.values()) {
    elements += numel(tensor.shape);
    bytes += tensor.bytes ?? 0;
  }
  return { tensors: tensors.size, elements, bytes };
}

function toJson(file: string, info: CheckpointInfo): object {
  const { format, size, metadata, tensors } = info;
  const list = [...tensors].map(([key, tensor]) => ({ key, ...tensor }));
  const about = { file, format, size, metadata: Object.fromEntries(metadata) };
  return { ...about, tensors: list, total: totals(info) };
}

function toText(file: string, info: CheckpointInfo): string {
  const table = new Table({
    head: ["key", "dtype", "shape", "size"],
    colAligns: ["left", "left", "left", "right"],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const [key, { dtype, shape, bytes }] of info.tensors) {
    const size = bytes === undefined ? "" : formatBytes(bytes);
    table.push([printable(key), dtype, `[${shape.join(", ")}]`, size]);
  }
  const { tensors, elements, bytes } = totals(info);
  const metadata = [...info.metadata].map(([name, text]) => printable(`${name}: ${text}`));
  const lines = [
    `${printable(file)}: ${info.format}, ${formatBytes(info.size)}`,
    ...metadata.map((line) => `  ${line.length > 100 ? `${line.slice(0, 99)}…` : line}`),
    ...(tensors > 0 ? [table.toString()] : []),
    `${plural(tensors, "tensor")}, ${plural(elements, "element")}, ${formatBytes(bytes)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** A file's own text must not steer the terminal. */
const printable = (text: string, hidden = /[\p{Cc}\p{Cf}]/gu): string =>
  text.replace(hidden, (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, "0")}`);
