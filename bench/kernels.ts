/**
 * `npx tsx bench/kernels.ts`: our CPU kernels (each build that this machine can run), beside the
 * same operations in tfjs (cpu and wasm) and onnxruntime-web (wasm), all on one thread.
 */
import * as tf from "@tensorflow/tfjs-core";
import Table from "cli-table3";
import { cpus, loadavg } from "node:os";
import * as ort from "onnxruntime-web";
import { setBackend } from "sconce";
import {
  type Build,
  conv,
  createHeap,
  depthwise,
  elementwise,
  fastestConv,
  type Heap,
  layerNorm,
  linear,
  packConv,
  packedConvBytes,
  packedLinearBytes,
  packLinear,
  softmax,
  supports,
  loadFallback,
  stepsOf,
} from "../lib/kernels/cpu/index.js";
import { type OnnxNode, onnxModel } from "./onnx-model.js";

type Run = () => unknown;

interface Case {
  name: string;
  /** Floating-point operations. */
  flops: number;
  ours: (heap: Heap) => Run;
  tfjs: () => Run;
  onnx: OnnxNode;
}

const random = (length: number): Float32Array =>
  Float32Array.from({ length }, () => Math.random() - 0.5);

function matmulCase(m: number, k: number, n: number): Case {
  const w = random(n * k);
  return {
    name: `matmul ${m} × ${k} × ${n}`,
    flops: 2 * m * n * k,
    ours: (heap) => {
      const weight = heap.alloc(packedLinearBytes(n, k));
      packLinear(heap, { weight: heap.put(w), n, k, to: weight, layout: "kn" });
      const kernel = linear(heap, { m, n, k });
      const workspace = heap.alloc(kernel.workspaceBytes);
      const pointers = {
        x: heap.put(random(m * k)),
        weight,
        out: heap.alloc(m * n * 4),
        workspace,
      };
      return () => kernel.run(pointers);
    },
    tfjs: () => {
      const [a, b] = [tf.tensor2d(random(m * k), [m, k]), tf.tensor2d(w, [k, n])];
      return () => tf.matMul(a, b);
    },
    onnx: {
      type: "MatMul",
      input: [m, k],
      weights: [{ shape: [k, n], values: w }],
      output: [m, n],
    },
  };
}

function convCase(
  inChannels: number,
  outChannels: number,
  side: number,
  k: number,
  stride = 1,
): Case {
  const pad = (k - 1) / 2;
  const out = Math.ceil(side / stride);
  const w = random(outChannels * inChannels * k * k);
  const sizes = {
    inChannels,
    outChannels,
    size: [side, side],
    kernel: [k, k],
    stride: [stride, stride],
    padding: [pad, pad],
  };
  const algorithm = fastestConv(sizes);
  const spec = { ...sizes, algorithm };
  return {
    name: `conv ${k} × ${k} /${stride} ${inChannels} → ${outChannels} @ ${side}², ${algorithm}`,
    flops: 2 * outChannels * inChannels * k * k * out * out,
    ours: (heap) => {
      const weight = heap.alloc(packedConvBytes(spec));
      packConv(heap, spec, heap.put(w), weight);
      const kernel = conv(heap, spec);
      const x = heap.put(random(inChannels * side * side));
      const workspace = heap.alloc(kernel.workspaceBytes);
      const pointers = { x, weight, out: heap.alloc(outChannels * out * out * 4), workspace };
      return () => kernel.run(pointers);
    },
    tfjs: () => {
      const x = tf.tensor4d(random(inChannels * side * side), [1, side, side, inChannels]);
      const filter = tf.transpose(tf.tensor4d(w, [outChannels, inChannels, k, k]), [2, 3, 1, 0]);
      return () => tf.conv2d(x, filter, stride, pad);
    },
    onnx: {
      type: "Conv",
      attributes: { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, pad, pad] },
      input: [1, inChannels, side, side],
      weights: [{ shape: [outChannels, inChannels, k, k], values: w }],
      output: [1, outChannels, out, out],
    },
  };
}

function depthwiseCase(channels: number, side: number, k: number, stride: number): Case {
  const pad = (k - 1) / 2;
  const out = Math.ceil(side / stride);
  const w = random(channels * k * k);
  const sizes = { kernel: [k, k], stride: [stride, stride], padding: [pad, pad] };
  return {
    name: `depthwise ${k} × ${k} /${stride} ${channels} @ ${side}²`,
    flops: 2 * channels * k * k * out * out,
    ours: (heap) => {
      const kernel = depthwise(heap, { channels, size: [side, side], ...sizes });
      const x = heap.put(random(channels * side * side));
      const workspace = heap.alloc(kernel.workspaceBytes);
      const pointers = {
        x,
        weight: heap.put(w),
        out: heap.alloc(channels * out * out * 4),
        workspace,
      };
      return () => kernel.run(pointers);
    },
    tfjs: () => {
      const x = tf.tensor4d(random(channels * side * side), [1, side, side, channels]);
      const filter = tf.tensor4d(w, [k, k, channels, 1]);
      return () => tf.depthwiseConv2d(x, filter, stride, pad);
    },
    onnx: {
      type: "Conv",
      attributes: {
        kernel_shape: [k, k],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        group: channels,
      },
      input: [1, channels, side, side],
      weights: [{ shape: [channels, 1, k, k], values: w }],
      output: [1, channels, out, out],
    },
  };
}

function rowsCase(kind: "softmax" | "layerNorm" | "gelu", rows: number, n: number): Case {
  const [weight, bias] = [random(n), random(n)];
  const both = [weight, bias].map((values) => ({ shape: [n], values }));
  const make = {
    softmax: (heap: Heap, x: number, out: number): Run => {
      const kernel = softmax(heap, { rows, n });
      return () => kernel.run({ x, out });
    },
    layerNorm: (heap: Heap, x: number, out: number): Run => {
      const kernel = layerNorm(heap, { kind: "layer", rows, n, eps: 1e-5 });
      const pointers = { x, weight: heap.put(weight), bias: heap.put(bias), out };
      return () => kernel.run(pointers);
    },
    gelu: (heap: Heap, x: number, out: number): Run => {
      const spec = { steps: stepsOf("gelu"), shape: [rows * n], strides: [[1]] };
      const kernel = elementwise(heap, spec);
      return () => kernel.run({ inputs: [x], out });
    },
  };
  const body = {
    softmax: (x: tf.Tensor2D) => tf.softmax(x),
    layerNorm: (x: tf.Tensor2D) => {
      const { mean, variance } = tf.moments(x, 1, true);
      const scaled = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
      return tf.add(tf.mul(scaled, weight), bias);
    },
    gelu: (x: tf.Tensor2D) => {
      const half = tf.mul(x, 0.5);
      return tf.mul(half, tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
    },
  };
  const type = { softmax: "Softmax", layerNorm: "LayerNormalization", gelu: "Gelu" }[kind];
  const shape = [rows, n];
  return {
    name: `${kind} ${rows} × ${n}`,
    flops: NaN,
    ours: (heap) => make[kind](heap, heap.put(random(rows * n)), heap.alloc(rows * n * 4)),
    tfjs: () => {
      const x = tf.tensor2d(random(rows * n), [rows, n]);
      return () => body[kind](x);
    },
    onnx: { type, input: shape, weights: kind === "layerNorm" ? both : [], output: shape },
  };
}

const CASES: Case[] = [
  matmulCase(512, 512, 512),
  matmulCase(128, 384, 1536),
  matmulCase(1, 1024, 1024),
  convCase(64, 64, 56, 3),
  convCase(256, 256, 14, 3),
  convCase(3, 64, 224, 7, 2),
  convCase(96, 24, 56, 1),
  depthwiseCase(96, 56, 3, 1),
  depthwiseCase(96, 56, 3, 2),
  depthwiseCase(96, 56, 5, 1),
  rowsCase("softmax", 1536, 128),
  rowsCase("layerNorm", 128, 384),
  rowsCase("gelu", 128, 1536),
];

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/**
 * Median milliseconds of each candidate. They run in turn, so that a busy machine slows all of
 * them.
 */
async function measure(candidates: ReadonlyMap<string, Run>): Promise<Map<string, number>> {
  const times = new Map([...candidates.keys()].map((name): [string, number[]] => [name, []]));
  const ROUNDS = 15;
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const [name, run] of candidates) {
      const began = performance.now();
      await run();
      if (round >= 0) times.get(name)!.push(performance.now() - began);
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

async function onnxRun(node: OnnxNode): Promise<Run> {
  const session = await ort.InferenceSession.create(onnxModel(node), {
    executionProviders: ["wasm"],
  });
  const length = node.input.reduce((a, b) => a * b, 1);
  const x = new ort.Tensor("float32", random(length), node.input);
  return () => session.run({ x });
}

ort.env.wasm.numThreads = 1;
await setBackend("wasm");
await loadFallback();
const builds = (["fma", "simd", "js"] satisfies Build[]).filter(supports);
const head = ["kernel", ...builds.map((build) => `${build} ms`), "GFLOP/s", "tfjs wasm", "ort web"];
const table = new Table({ head: [...head, "× tfjs", "× ort"], style: { head: [], border: [] } });
for (const { name, flops, ours, tfjs, onnx } of CASES) {
  const heaps = builds.map((build) => createHeap({ build }));
  const candidates = new Map<string, Run>(builds.map((build, i) => [build, ours(heaps[i]!)]));
  tf.engine().startScope();
  const op = tfjs();
  candidates.set("tfjs", () => tf.tidy(() => void op()));
  candidates.set("ort", await onnxRun(onnx));
  const times = await measure(candidates);
  tf.engine().endScope();
  for (const heap of heaps) heap.dispose();
  const best = times.get(builds[0]!)!;
  table.push([
    name,
    ...builds.map((build) => times.get(build)!.toFixed(3)),
    Number.isNaN(flops) ? "" : (flops / best / 1e6).toFixed(1),
    times.get("tfjs")!.toFixed(3),
    times.get("ort")!.toFixed(3),
    (times.get("tfjs")! / best).toFixed(2),
    (times.get("ort")! / best).toFixed(2),
  ]);
}
console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`);
console.log(`load ${loadavg()[0]!.toFixed(1)}; medians of interleaved runs in one process\n`);
console.log(table.toString());
