import Table from "cli-table3";
import type { Command } from "commander";
import { inspect, type TensorInfo } from "../checkpoint/index.js";
import { formatBytes, plural } from "./format.js";
import type { Terminal } from "./program.js";

interface Options {
  json?: boolean;
  key?: string;
}

/**
 * `sconce inspect FILE|URL`: lists the contents of a checkpoint without reading the tensors'
 * values.
 */
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
    .action(async (file: string, { json, key }: Options, command: Command) => {
      if (file.endsWith(".pt2")) {
        if (key !== undefined) command.error("error: --key is for checkpoints, not for programs");
        const { inspectProgram } = await import("./inspect-program.js");
        const { program, inputs, tensors } = await inspectProgram(file, signal);
        const about = { file, format: "exported program", inputs, tensors, total: totals(tensors) };
        return out(json ? toJson({ ...about, program }) : printable(program, EXCEPT_LINES));
      }
      const { metadata, ...info } = await inspect(file, { key, signal });
      const tensors = [...info.tensors].map(([name, tensor]) => ({ key: name, ...tensor }));
      const about = { file, ...info, tensors, total: totals(tensors) };
      const texts = Object.fromEntries(metadata);
      out(json ? toJson({ ...about, metadata: texts }) : toText({ ...about, metadata: texts }));
    });
}

const numel = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function totals(tensors: readonly Pick<TensorInfo, "shape" | "bytes">[]) {
  let elements = 0;
  let bytes = 0;
  for (const tensor of tensors) {
    elements += numel(tensor.shape);
    bytes += tensor.bytes ?? 0;
  }
  return { tensors: tensors.length, elements, bytes };
}

const toJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

interface About {
  file: string;
  format: string;
  size: number;
  metadata: Record<string, string>;
  tensors: ({ key: string } & TensorInfo)[];
  total: ReturnType<typeof totals>;
}

function toText({ file, format, size: fileSize, metadata, tensors, total }: About): string {
  const table = new Table({
    head: ["key", "dtype", "shape", "size"],
    colAligns: ["left", "left", "left", "right"],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const { key, dtype, shape, bytes } of tensors) {
    const size = bytes === undefined ? "" : formatBytes(bytes);
    table.push([printable(key), dtype, `[${shape.join(", ")}]`, size]);
  }
  const texts = Object.entries(metadata).map(([name, text]) => printable(`${name}: ${text}`));
  const lines = [
    `${printable(file)}: ${format}, ${formatBytes(fileSize)}`,
    ...texts.map((line) => `  ${line.length > 100 ? `${line.slice(0, 99)}…` : line}`),
    ...(tensors.length > 0 ? [table.toString()] : []),
    `${plural(tensors.length, "tensor")}, ${plural(total.elements, "element")}, ${formatBytes(total.bytes)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Control characters except line breaks. */
const EXCEPT_LINES = /(?!\n)[\p{Cc}\p{Cf}]/gu;

/** Replaces control characters, because text from a file must not control the terminal. */
const printable = (text: string, hidden = /[\p{Cc}\p{Cf}]/gu): string =>
  text.replace(hidden, (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, "0")}`);
