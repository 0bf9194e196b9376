import type { ProgramParts } from "../program.js";

/** As `print(ep)`. */
export function formatProgram({ graph }: ProgramParts): string {
  return graph.print();
}
