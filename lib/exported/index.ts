export { registerOp, type UserOp } from "./op-table.js";
