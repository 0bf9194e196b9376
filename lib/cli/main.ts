#!/usr/bin/env node
import { runProgram } from "./program.js";

const controller = new AbortController();
process.once("SIGINT", () => controller.abort());
process.exitCode = await runProgram(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  signal: controller.signal,
});
