export { loadExported, type LoadExportedOptions } from "./load.js";
export { registerOp, type UserOp } from "./op-table.js";
export { callFlat, ExportedProgram, type FlatOutput } from "./program.js";
