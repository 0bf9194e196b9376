/** The output of `sconce inspect` for an exported program, which shows more than the weights. */
import { loadExported } from "../exported/index.js";
import { partsOf } from "../exported/program.js";
import { setBackend } from "../backend.js";
import { bytesOf } from "../checkpoint/inspect.js";

/** The description of an input in the graph; a size that is not fixed is an expression. */
interface TensorMeta {
  dtype: string;
  shape: readonly (number | string)[];
}

export interface ProgramInfo {
  /** As PyTorch prints it. */
  program: string;
  inputs: { name: string; dtype: string; shape: TensorMeta["shape"] }[];
  tensors: { key: string; dtype: string; shape: number[]; bytes: number | undefined }[];
}

export async function inspectProgram(
  file: string,
  signal: AbortSignal | undefined,
): Promise<ProgramInfo> {
  await setBackend("cpu");
  const program = await loadExported(file, { signal });
  const { graph, signature } = partsOf(program);
  const info: ProgramInfo = { program: String(program), inputs: [], tensors: [] };
  signature.inputs.forEach((spec, i) => {
    const { name, meta } = graph.placeholders[i]!;
    const { dtype, shape } = (meta.value ?? { dtype: "none", shape: [] }) as TensorMeta;
    if (spec.kind === "user") info.inputs.push({ name, dtype, shape });
    if (!("key" in spec)) return;
    // A weight's sizes are fixed.
    const sizes = shape as number[];
    info.tensors.push({ key: spec.key, dtype, shape: sizes, bytes: bytesOf(dtype, sizes) });
  });
  program.dispose();
  return info;
}
