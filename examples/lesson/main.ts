/**
 * `npm start`: shows the lesson in the terminal, then runs trained checkpoints on held-out
 * pictures.
 */
import { SingleBar } from "cli-progress";
import { Command, Option } from "commander";
import { mkdir, writeFile } from "node:fs/promises";
import * as nn from "sconce";
import { loadModel, loadTestSet, predict, score, showPrediction, type TestSet } from "./fashion.js";
import * as lesson from "./lesson.js";
import { sigmoidSvg } from "./svg.js";

const { backend, out } = new Command("npm start --")
  .description("The lesson on neural-network inference, and digits of real pictures.")
  .addOption(
    new Option("--backend <name>", "what it runs on").choices(["cpu", "wasm"]).default("cpu"),
  )
  .option("--out <folder>", "where the SVG of the sigmoid goes", "out")
  .parse()
  .opts<{ backend: nn.BackendName; out: string }>();

function heading(title: string): void {
  console.log(`\n${title}\n${"─".repeat(title.length)}`);
}

async function tellLesson(): Promise<void> {
  heading("1. Why an activation: linear of linear is linear");
  console.log(lesson.composition());

  heading("2. The sigmoid, 1 / (1 + exp(-x)), on linspace(-8, 8, 100)");
  console.log(lesson.sigmoidPlot());
  await mkdir(out, { recursive: true });
  await writeFile(`${out}/sigmoid.svg`, sigmoidSvg(lesson.sigmoidPoints()));
  console.log(`also drawn in ${out}/sigmoid.svg`);

  heading("3. The network as numpy classes: h = xW + b");
  const x = lesson.samples();
  const numpy = lesson.numpyNetwork();
  console.log(`out_numpy.shape\n(${numpy.predict(x).shape.join(", ")})\n`);
  process.stdout.write(lesson.numpyParameters(numpy));

  heading("4. The same network as a PyTorch module: y = xWᵀ + b");
  const torch = lesson.torchNetwork();
  const input = lesson.toTensor(x);
  const output = torch(input);
  console.log(`${String(torch)}\n`);
  console.log(`x_torch.shape\n${nn.formatSize(input.shape)}`);
  console.log(`out_torch.shape\n${nn.formatSize(output.shape)}\n`);
  process.stdout.write(lesson.torchParameters(torch));
  input.dispose();
  output.dispose();

  heading("5. Why the shapes are transposed");
  console.log(
    "numpy's W is (in, out): h = xW + b. PyTorch keeps weight as (out, in) and computes\n" +
      "y = xWᵀ + b, so layer1.weight is [4, 2] where W1 is (2, 4). The numbers agree:",
  );
  const difference = lesson.crossCheck(torch, x);
  console.log(
    `largest difference between xW + b (float64) and xWᵀ + b: ${difference.toExponential(2)}`,
  );
  torch.dispose();
}

async function classify(name: "mlp" | "cnn", test: TestSet): Promise<void> {
  const model = await loadModel(name);
  const n = test.labels.length;
  const bar = new SingleBar({
    format: `${name} {bar} {value} / {total} pictures`,
    clearOnComplete: true,
  });
  const began = performance.now();
  let shown = false;
  const logits = predict(model, test, (done) => {
    // Shows a bar only after a second, and only in a terminal.
    if (!shown && performance.now() - began > 1000 && process.stderr.isTTY) {
      bar.start(n, done);
      shown = true;
    }
    if (shown) bar.update(done);
  });
  if (shown) bar.stop();
  const seconds = (performance.now() - began) / 1000;
  model.dispose();

  const ours = score(logits, test.logits[name], test.labels);
  const torch = score(test.logits[name], test.logits[name], test.labels);
  const percent = (correct: number): string => `${((100 * correct) / n).toFixed(1)} %`;
  console.log(`${name}.safetensors, ${n} pictures in ${seconds.toFixed(1)} s on ${backend}`);
  console.log(`  accuracy here      ${percent(ours.correct)}  (${ours.correct} of ${n})`);
  console.log(`  accuracy PyTorch   ${percent(torch.correct)}  (${torch.correct} of ${n})`);
  console.log(`  same pictures right: ${ours.same ? "yes" : "NO"}`);
  console.log(`  largest logit difference: ${ours.maxDifference.toExponential(2)}\n`);
  if (name === "cnn")
    for (const i of [0, 2, 23]) console.log(`${showPrediction(test, logits, i)}\n`);
  if (!ours.same || ours.maxDifference > 1e-4) process.exitCode = 1;
}

await nn.setBackend(backend);
await tellLesson();
heading("6. Real input: Fashion-MNIST, trained in PyTorch");
const test = await loadTestSet();
await classify("mlp", test);
await classify("cnn", test);
