#!/usr/bin/env node
import { runProgram } from "./program.js";

// The reader of a pipe may close it early, as `head` does.
process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
  if (code !== "EPIPE") process.stderr.write(`sconce: the output cannot be written: ${message}\n`);
  process.exit(code === "EPIPE" ? 0 : 1);
});

const controller = new AbortController();
process.once("SIGINT", () => controller.abort());
process.exitCode = await runProgram(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  signal: controller.signal,
});
