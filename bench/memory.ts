/**
 * The peak memory of loading a 500 MB checkpoint, beyond the tensors themselves. Each case runs in
 * its own process: in Node, VmHWM of the process counts; in a page, that of its renderer. Linux
 * only.
 *
 * With PYTHON (an interpreter with torch, numpy and safetensors), PyTorch's and numpy's formats are
 * measured too.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { fileURLToPath } from "node:url";
import * as nn from "sconce";
import { FileServer } from "../spec/support/file-server.js";
import { withPage } from "./browser.js";
import { fillFrom, makeNet, NET_BYTES, stateOf } from "./memory-net.js";

const FOLDER = "out/bench-memory";
const SELF = fileURLToPath(import.meta.url);

export interface MemoryRow {
  file: string;
  where: string;
  /** Peak memory beyond the loaded tensors, as a fraction of the file's size. */
  over: number;
}

/** Where the tensors go: into entries, or into a model on a backend. */
const TARGETS = ["entries", "cpu", "wasm"] as const;
type Target = (typeof TARGETS)[number];

/** The peak memory of a process in bytes since `forgetPeak`, or with `VmRSS` its memory now. */
function peakOf(pid: number | "self", field: "VmHWM" | "VmRSS" = "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]);
}

const forgetPeak = (pid: number | "self"): void => writeFileSync(`/proc/${pid}/clear_refs`, "5");

/** Bytes of the loaded tensors. In a model, float16 has become float32. */
const loadedBytes = (file: string, target: Target): number =>
  file.includes("float16") && target === "entries" ? NET_BYTES / 2 : NET_BYTES;

/** Bytes beyond the tensors, measured for this process, which must do nothing else. */
async function measureHere(file: string, target: Target): Promise<number> {
  if (target !== "entries") await nn.setBackend(target);
  // Do once what a first load sets up permanently, so that it is not counted.
  fillFrom(makeNet(0), await nn.load(await nn.save(stateOf(0))));
  globalThis.gc?.();
  const before = peakOf("self", "VmRSS");
  forgetPeak("self");
  const entries = await nn.load(file);
  if (target !== "entries") fillFrom(makeNet(), entries);
  return peakOf("self") - before - loadedBytes(file, target);
}

function measureApart(file: string, target: Target): number {
  const args = ["--expose-gc", SELF, file, target];
  return Number(execFileSync(process.execPath, args, { encoding: "utf8" }).trim());
}

async function rendererOf(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = (await session.send("SystemInfo.getProcessInfo")) as {
    processInfo: { type: string; id: number }[];
  };
  // Idle renderers use less memory than the one in use.
  const pids = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  return pids.sort((a, b) => peakOf(b, "VmRSS") - peakOf(a, "VmRSS"))[0]!;
}

async function measureInPage(name: string, target: Target, ranges: boolean): Promise<number> {
  const server = await FileServer.start();
  const headers = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" }; // prettier-ignore
  const url = server.serve(name, { bytes: readFileSync(`${FOLDER}/${name}`), headers, ranges });
  const run = (page: Page, from: string, to: Target): Promise<void> =>
    page.evaluate(
      `import("/bench.js").then((bench) => bench.loadHere(${JSON.stringify(from)}, ${JSON.stringify(to)}))`,
    );
  try {
    return await withPage([], "bench/memory-net.ts", async (page, browser) => {
      await run(page, "", target);
      const renderer = await rendererOf(browser);
      const before = peakOf(renderer, "VmRSS");
      forgetPeak(renderer);
      await run(page, url, target);
      return peakOf(renderer) - before - loadedBytes(name, target);
    });
  } finally {
    await server.stop();
  }
}

export async function benchMemory(): Promise<MemoryRow[]> {
  const { PYTHON } = process.env;
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const state = stateOf();
  writeFileSync(`${FOLDER}/model.safetensors`, await nn.save(state));
  writeFileSync(`${FOLDER}/float16.safetensors`, await nn.save(state, { dtype: "float16" }));
  const safetensors = `${FOLDER}/model.safetensors`;
  if (PYTHON) execFileSync(PYTHON, ["bench/load.py", "make", safetensors, FOLDER]);
  const names = ["model.safetensors", "float16.safetensors", "model.pt", "legacy.pt", "model.npz"];
  const files = names.filter((name) => existsSync(`${FOLDER}/${name}`));
  const rows: MemoryRow[] = [];
  const add = async (name: string, where: string, bytes: number): Promise<void> => {
    rows.push({ file: name, where, over: bytes / (await stat(`${FOLDER}/${name}`)).size });
  };
  for (const name of files) {
    for (const target of TARGETS) {
      await add(name, `Node, ${target}`, measureApart(`${FOLDER}/${name}`, target));
    }
  }
  for (const target of ["entries", "cpu"] as const) {
    const name = "model.safetensors";
    await add(name, `page, ${target}`, await measureInPage(name, target, true));
    await add(name, `page, ${target}, no ranges`, await measureInPage(name, target, false));
  }
  rmSync(FOLDER, { recursive: true });
  return rows;
}

if (process.argv[1] === SELF) {
  console.log(await measureHere(process.argv[2]!, process.argv[3] as Target));
}
