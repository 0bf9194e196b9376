export { loadExported, type LoadExportedOptions } from "./load.js";
export { registerOp, type UserOp } from "./op-table.js";
export { callFlat, ExportedProgram } from "./program.js";
