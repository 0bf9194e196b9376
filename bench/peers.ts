/** The runtimes that the compile bench compares. Each takes and returns plain numbers. */
import * as tf from "@tensorflow/tfjs-core";
import type * as Ort from "onnxruntime-web";
import * as nn from "sconce";
import { kernelsFor } from "../lib/eager/index.js";
import { isInBody, setKernels } from "../lib/functional/op.js";
import { type BenchModel, type Call, firstTensor, type Input, toTensor } from "./models.js";

/** The files from which a peer opens a model. */
export interface Files {
  onnx: Uint8Array;
  weights: Uint8Array;
  inputs: readonly Input[];
}

/** Reads inputs `x0`, `x1`, … and PyTorch's output `y` from a safetensors file. */
export async function readExample(
  bytes: Uint8Array,
): Promise<{ inputs: Input[]; expected: Float32Array }> {
  const tensors = await nn.load(bytes);
  const inputs: Input[] = [];
  for (let i = 0; tensors.has(`x${i}`); i += 1) {
    const entry = tensors.get(`x${i}`)!;
    const { dtype, shape, data } = entry;
    const isWhole = dtype === "int32";
    inputs.push({ shape: [...shape], data: isWhole ? (data as Int32Array) : entry.toFloat32() });
  }
  return { inputs, expected: tensors.get("y")!.toFloat32() };
}

/** A model's files and PyTorch's output. `read` gives the bytes of a kind of file. */
export async function filesOf(
  read: (kind: string) => Promise<Uint8Array>,
): Promise<Files & { expected: Float32Array }> {
  const [onnxBytes, weights, io] = await Promise.all(
    ["onnx", "safetensors", "io.safetensors"].map(read),
  );
  return { onnx: onnxBytes!, weights: weights!, ...(await readExample(io!)) };
}

/** A model that is ready to be called. */
export interface Session {
  call: Call;
  dispose: () => void;
}

export interface Peer {
  name: string;
  /** Whether a call may take seconds. Such peers are timed only once or twice. */
  isSlow?: boolean;
  /** How many calls it needs until it has chosen its way of computing. */
  settles?: number;
  /**
   * Prepares a model; what it returns is timed. Weights must be in memory by then, as bytes or as a
   * model.
   */
  open: (model: BenchModel, files: Files) => Promise<() => Promise<Session>>;
}

export async function loaded({ make }: BenchModel, { weights }: Files): Promise<nn.Module> {
  const model = nn.meta(make);
  model.loadStateDict(await nn.load(weights));
  return model;
}

/** A call that makes tensors of the numbers first, as a program would. */
function calling(
  { args = (tensors) => tensors, result = firstTensor }: BenchModel,
  call: (...args: unknown[]) => unknown,
): Call {
  return (inputs) => {
    let values = new Float32Array(0);
    // The result is not returned from `tidy`, which would search all of its numbers for tensors.
    tf.tidy(() => {
      values = result(call(...args(inputs.map(toTensor)))).dataSync() as typeof values;
    });
    return values;
  };
}

/** sconce, compiled on tfjs's cpu backend. */
export const ours = (name: string, threads: number): Peer => ({
  name,
  settles: threads > 1 ? 16 : 0, // it first tries whether threads are faster
  open: async (bench, files) => {
    await nn.setBackend("cpu");
    const model = await loaded(bench, files);
    const example = (bench.args ?? ((x) => x))(files.inputs.map(toTensor));
    return async () => {
      const fast = await nn.compile(model, example, { threads });
      tf.dispose(example as tf.TensorContainer);
      return {
        call: calling(bench, fast as (...args: unknown[]) => unknown),
        dispose: () => {
          fast.dispose();
          model.dispose();
        },
      };
    };
  },
});

/** The same model without compilation, on a tfjs backend. */
export const eager = (name: string, backend: nn.BackendName): Peer => ({
  name,
  isSlow: true,
  open: async (bench, files) => {
    await nn.setBackend(backend);
    const model = await loaded(bench, files);
    const call = calling(bench, model);
    const session: Session = {
      // Other candidates use other backends. Switching takes only microseconds.
      call: async (inputs) => {
        await tf.setBackend(backend);
        // This peer stands for tfjs's own kernels. Ours under eager ops are timed by the bench
        // `eager`.
        if (backend === "cpu" || backend === "wasm") setKernels(backend, null);
        const values = await call(inputs);
        if (backend === "cpu" || backend === "wasm")
          setKernels(backend, kernelsFor(backend, isInBody));
        await tf.setBackend("cpu");
        return values;
      },
      dispose: () => model.dispose(),
    };
    return () => Promise.resolve(session);
  },
});

/** onnxruntime (web or node) with a number of threads. */
export const onnx = (
  name: string,
  ort: typeof Ort,
  threads: number,
  provider: "wasm" | "cpu" | "webgl" | "webgpu" = "wasm",
): Peer => ({
  name,
  open: (_bench, { onnx: bytes }) => {
    const ready = async (): Promise<Session> => {
      const session = await ort.InferenceSession.create(bytes, {
        executionProviders: [provider],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
      });
      const [output] = session.outputNames;
      return {
        call: async (inputs) => {
          const feeds = inputs.flatMap((input, i) => {
            const isUsed = session.inputNames.includes(`x${i}`);
            return isUsed ? [[`x${i}`, toOrt(ort, input)] as const] : [];
          });
          const results = await session.run(Object.fromEntries(feeds));
          return results[output!]!.data as Float32Array;
        },
        dispose: () => void session.release(),
      };
    };
    return Promise.resolve(ready);
  },
});

function toOrt(ort: typeof Ort, { shape, data }: Input): Ort.Tensor {
  if (data instanceof Float32Array) return new ort.Tensor("float32", data, shape);
  return new ort.Tensor("int64", BigInt64Array.from(data, BigInt), shape);
}
