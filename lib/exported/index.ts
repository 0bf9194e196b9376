/** Exported programs. The code that reads and runs them is loaded with the first one. */
import { later } from "../checkpoint/later.js";
import type { CheckpointInput } from "../checkpoint/source/open.js";
import type { LoadExportedOptions } from "./load.js";
import type { ExportedProgram } from "./program.js";

export type { LoadExportedOptions } from "./load.js";
export { registerOp, type UserOp } from "./op-table.js";
export { ExportedProgram } from "./program.js";

const loader = /* @__PURE__ */ later(() => import("./load.js"));

/**
 * Loads a file of `torch.export.save` as a module: `program(x)` returns what the model returned in
 * PyTorch.
 *
 * Nothing in the file is executed, and its pickles (the sample inputs) are not read. Schema
 * versions 5 to 8 are supported: PyTorch 2.4 and later.
 *
 * @param source a path, URL, File or Blob, Response, or bytes.
 * @throws CheckpointError if anything is wrong with the file. If the program calls ops that do not
 *   exist, the error lists all of them; `nn.registerOp` adds them.
 * @see https://docs.pytorch.org/docs/stable/export.html
 */
export async function loadExported(
  source: CheckpointInput,
  options?: LoadExportedOptions,
): Promise<ExportedProgram> {
  return (await loader()).loadExported(source, options);
}
