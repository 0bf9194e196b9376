/**
 * `npm test`: the specs in Node (mocha: cpu, wasm) and in a real Chromium (karma: webgl, cpu), side
 * by side. Prints what each prints, and last how many passed and failed in all.
 */
import { spawn } from "node:child_process";

const NODE = { title: "Node: cpu, wasm", command: ["mocha", "spec/**/*.spec.ts"] };
const BROWSER = { title: "Chromium: webgl, cpu", command: ["karma", "start", "--single-run"] };
const WEBGPU = { ...BROWSER, title: "Chromium: webgpu", env: { SPEC: "compile/webgpu" } };

/** What is in one line runs one after the other; the lines run side by side. */
const LINES = [[NODE], [BROWSER, WEBGPU]];

/** Runs a program of node_modules/.bin; resolves with its exit code and its output. */
function run({ command: [name, ...args], env }) {
  return new Promise((resolve) => {
    const child = spawn("npx", ["--no-install", name, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const collect = (chunk) => (output += chunk);
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => resolve({ code: 1, output: `${output}${error.message}\n` }));
    child.on("close", (code) => resolve({ code, output }));
  });
}

const last = (text, pattern) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);

/** mocha ends on `3 passing`, `1 pending`, `2 failing`; karma on `Executed 5 of 6 (2 FAILED)`. */
function count(output) {
  const executed = last(output, /Executed (\d+) of \d+/g);
  const failed = last(output, /^ *(\d+) failing/gm) + last(output, /Executed .*?\((\d+) FAILED\)/g);
  const skipped = last(output, /^ *(\d+) pending/gm) + last(output, /Executed .*?skipped (\d+)\)/g);
  const passed = executed ? executed - failed : last(output, /^ *(\d+) passing/gm);
  return { passed, failed, skipped };
}

let passed = 0;
let failed = 0;
let skipped = 0;
async function runAndCount(part) {
  const { code, output } = await run(part);
  const counts = count(output);
  // A run that broke without a failing spec is a failure all the same.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  if (counts.passed === 0 && counts.skipped === 0) counts.failed += 1;
  console.log(`\n=== ${part.title} ===\n${output}`);
  passed += counts.passed;
  failed += counts.failed;
  skipped += counts.skipped;
}

await Promise.all(
  LINES.map(async (line) => {
    for (const part of line) await runAndCount(part);
  }),
);
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed ? 1 : 0;
