import { type Command, Option } from "commander";
import { load, save, type SaveOptions } from "../checkpoint/index.js";
import { formatBytes, plural } from "./format.js";
import type { Terminal } from "./program.js";
import { checkPlace, writeWhole } from "./write.js";

interface Options {
  dtype?: NonNullable<SaveOptions["dtype"]>;
  key?: string;
}

/** `sconce convert IN OUT.safetensors`: writes any checkpoint as safetensors. */
export function addConvert(program: Command, { out, signal }: Terminal): void {
  program
    .command("convert")
    .description("write a checkpoint as .safetensors")
    .argument("<input>", "a path or URL, as for inspect")
    .argument("<output>", "the .safetensors file to write")
    .addOption(
      new Option("--dtype <name>", "what floating-point tensors become").choices([
        ...["float16", "bfloat16", "float32", "float64"],
      ]),
    )
    .option("--key <path>", "where in a trainer's file the state_dict is, as in load")
    .action(async (input: string, output: string, { dtype, key }: Options, command: Command) => {
      if (!output.endsWith(".safetensors")) {
        command.error(`error: the output has to be a .safetensors file, got '${output}'`);
      }
      await checkPlace(output);
      const entries = await load(input, { key, signal });
      const bytes = await save(entries, { dtype, metadata: { format: "pt" } });
      signal?.throwIfAborted();
      await writeWhole(output, bytes);
      out(`${output}: ${plural(entries.size, "tensor")}, ${formatBytes(bytes.length)}\n`);
    });
}
