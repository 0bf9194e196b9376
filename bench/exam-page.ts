export { runCases } from "/tmp/exam1/core.ts";
