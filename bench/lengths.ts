/**
 * `npm run bench -- lengths`: texts of varying lengths, one at a time, through MiniLM, beside
 * onnxruntime-web on one thread. A length that is new needs a new plan, whose compilation is
 * included in the time.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as nn from "sconce";
import { modelsNamed, open } from "./compile.js";
import { exportModels, modelFolder, peerNamed, readFiles } from "./compile-node.js";
import type { Input } from "./models.js";

const TEXTS = 150;
const NAMES = ["ours", "ort-web"] as const;

export interface LengthsRow {
  of: string;
  texts: number;
  /** Average milliseconds per text. */
  ours: number;
  web: number;
}

/** Lengths in tokens, distributed like those of sentences: 4 to 64, 25 on average. */
function lengths(): number[] {
  nn.manualSeed(0);
  const normal = nn.randn(TEXTS).dataSync();
  return Array.from(normal, (z) => Math.min(64, Math.max(4, Math.round(25 + 10 * z))));
}

function textOf(length: number): Input[] {
  const ids = nn.randint(1000, 20000, [1, length]).dataSync();
  const shape = [1, length];
  return [
    { shape, data: Int32Array.from(ids) },
    { shape, data: new Int32Array(length).fill(1) },
  ];
}

export async function benchLengths(): Promise<LengthsRow[]> {
  exportModels();
  await nn.setBackend("cpu");
  const { expected, ...files } = await readFiles("minilm");
  const onnx = await readFile(join(modelFolder, "minilm_lengths.onnx"));
  const [model] = modelsNamed(["minilm"]);
  const sessions = [];
  for (const name of NAMES) {
    const { session, error } = await open(
      await peerNamed(name),
      model!,
      { ...files, onnx },
      expected,
    );
    if (!(error < 1e-4)) throw new Error(`${name} is wrong`);
    sessions.push(session);
  }
  const seen = new Set<number>();
  const times: { isNew: boolean; ms: number[] }[] = [];
  for (const length of lengths()) {
    const inputs = textOf(length);
    const ms: number[] = [];
    for (const { call } of sessions) {
      const began = performance.now();
      await call(inputs);
      ms.push(performance.now() - began);
    }
    times.push({ isNew: !seen.has(length), ms });
    seen.add(length);
  }
  const row = (of: string, some: typeof times): LengthsRow => {
    const [ours, web] = NAMES.map((_, i) => some.reduce((sum, { ms }) => sum + ms[i]!, 0) / some.length); // prettier-ignore
    return { of, texts: some.length, ours: ours!, web: web! };
  };
  return [
    row("all", times),
    row(
      "a length that is new",
      times.filter(({ isNew }) => isNew),
    ),
    row("a length that came before", times.filter(({ isNew }) => !isNew)), // prettier-ignore
  ];
}
