/** Exported programs. What reads and runs them is loaded with the first. */
import { later } from "../checkpoint/later.js";
import type { CheckpointInput } from "../checkpoint/source/open.js";
import type { LoadExportedOptions } from "./load.js";
import type { ExportedProgram } from "./program.js";

export type { LoadExportedOptions } from "./load.js";
export { registerOp, type UserOp } from "./op-table.js";
export { ExportedProgram } from "./program.js";

const loader = /* @__PURE__ */ later(() => import("./load.js"));

/**
 * Loads what `torch.export.save` wrote, as a module: `program(x)` gives what the model gave in
 * PyTorch.
 *
 * Nothing in the file is run, and its pickles (the sample inputs) are not read. Files of schema
 * versions 5 to 8 are read: PyTorch 2.4 and later.
 *
 * @param source a path, URL, File or Blob, Response, or bytes.
 * @throws CheckpointError, whatever is wrong with the file; one that lists all ops of the program
 *   that there are not, if any: `nn.registerOp` adds them.
 * @see https://docs.pytorch.org/docs/stable/export.html
 */
export async function loadExported(
  source: CheckpointInput,
  options?: LoadExportedOptions,
): Promise<ExportedProgram> {
  return (await loader()).loadExported(source, options);
}
