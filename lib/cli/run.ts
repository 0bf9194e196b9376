import * as tf from "@tensorflow/tfjs-core";
import { type Command, Option } from "commander";
import { type BackendName, setBackend } from "../backend.js";
import { type Entry, load } from "../checkpoint/index.js";
import { type ExportedProgram, loadExported } from "../exported/index.js";
import { callFlat } from "../exported/run.js";
import { Failure } from "./failure.js";
import { toNpy } from "./npy.js";
import type { Terminal } from "./program.js";
import { writeWhole } from "./write.js";

interface Options {
  input: string[];
  output: string[];
  backend: BackendName;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

/** `sconce run MODEL.pt2 --input x.npy --output y.npy`: runs an exported program on arrays. */
export function addRun(program: Command, { out, signal }: Terminal): void {
  program
    .command("run")
    .description("run a program of torch.export on .npy files")
    .argument("<model>", "a path or URL of a .pt2 file")
    .option("--input <file>", "an input, in the model's order; may be repeated", collect, [])
    .option("--output <file>", "where an output goes; may be repeated", collect, [])
    .addOption(
      new Option("--backend <name>", "what it runs on").choices(["cpu", "wasm"]).default("cpu"),
    )
    .action(async (model: string, { input, output, backend }: Options) => {
      await setBackend(backend);
      const exported = await loadExported(model, { signal });
      const inputs = await Promise.all(input.map(readArray));
      const results = call(exported, inputs);
      for (const [i, { name, value, dtype }] of results.entries()) {
        const file = output[i];
        const what =
          value instanceof tf.Tensor
            ? `${dtype} [${(value as tf.Tensor).shape.join(", ")}]`
            : String(value);
        if (file !== undefined && value instanceof tf.Tensor) {
          await writeWhole(file, toNpy(value as tf.Tensor, dtype));
        }
        out(`${name}: ${what}${file === undefined ? "" : ` → ${file}`}\n`);
      }
      exported.dispose();
    });
}

/** Reports inputs that do not match with the program's own message. */
function call(exported: ExportedProgram, inputs: tf.Tensor[]): ReturnType<typeof callFlat> {
  try {
    return callFlat(exported, inputs);
  } catch (cause) {
    throw new Failure((cause as Error).message, { cause });
  }
}

async function readArray(path: string): Promise<tf.Tensor> {
  const entries = [...(await load(path)).values()];
  if (entries.length !== 1) {
    throw new Failure(`${path}: has ${entries.length} arrays; an --input is one, as in an .npy`);
  }
  const [entry] = entries as [Entry];
  const shape = [...entry.shape];
  if (entry.dtype === "bool") return tf.tensor(entry.data as Uint8Array, shape, "bool");
  if (/^u?int/.test(entry.dtype)) return tf.tensor(entry.toInt32(), shape, "int32");
  return tf.tensor(entry.toFloat32(), shape, "float32");
}
