/**
 * How long a `.pt2` file of 100 MB takes to load, beside the minimum: reading its bytes and
 * uploading them as tensors.
 *
 * PROGRAM is a `.pt2` file; without it, PYTHON (an interpreter with torch and torchvision) exports
 * resnet50 with random weights.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { bytesSource } from "../lib/checkpoint/byte-source.js";
import { ZipArchive } from "../lib/checkpoint/zip.js";
import { settled } from "./settled.js";
import { median } from "./timing.js";

const ROUNDS = 11;

const EXPORT = `
import sys, torch, torchvision
torch.manual_seed(0)
model = torchvision.models.resnet50(weights=None).eval()
program = torch.export.export(model, (torch.rand(1, 3, 224, 224),))
torch.export.save(program, sys.argv[1])
`;

export interface LoadExportedRow {
  backend: string;
  /** Median milliseconds. */
  read: number;
  readAndUpload: number;
  load: number;
}

/** The position and size of each weight in the file. All but a few counters are float32. */
async function findWeights(path: string): Promise<[begin: number, size: number][]> {
  const file = readFileSync(path);
  const archive = await ZipArchive.open(bytesSource(file));
  const members = [...archive.members.values()].filter(
    ({ name, size }) => /\/weight_\d+$/.test(name) && size % 4 === 0,
  );
  return members.map(({ header, size }) => {
    const begin = header + 30 + file.readUInt16LE(header + 26) + file.readUInt16LE(header + 28);
    return [begin, size];
  });
}

export async function benchLoadExported(): Promise<LoadExportedRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const path = process.env.PROGRAM ?? join(folder, "resnet50.pt2");
  if (!process.env.PROGRAM) {
    const python = process.env.PYTHON ?? "python3";
    execFileSync(python, ["-c", EXPORT, path], { stdio: "inherit" });
  }
  const weights = await findWeights(path);
  const rows: LoadExportedRow[] = [];
  for (const backend of ["cpu", "wasm"] as const) {
    await nn.setBackend(backend);
    const upload = (): tf.Tensor[] => {
      const { buffer, byteOffset } = readFileSync(path);
      return weights.map(([begin, size]) =>
        tf.tensor1d(new Float32Array(buffer, byteOffset + begin, size / 4)),
      );
    };
    const runs = [() => void readFileSync(path), upload, () => nn.loadExported(path)];
    const times = runs.map((): number[] => []);
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const [i, run] of runs.entries()) {
        await settled();
        const began = performance.now();
        const made = await run();
        // The first round warms up the file cache and the engine.
        if (round >= 0) times[i]!.push(performance.now() - began);
        if (made instanceof nn.Module) made.dispose();
        else if (made !== undefined) tf.dispose(made);
      }
    }
    const [read, readAndUpload, loaded] = times.map(median);
    rows.push({ backend, read: read!, readAndUpload: readAndUpload!, load: loaded! });
  }
  rmSync(folder, { recursive: true });
  return rows;
}
