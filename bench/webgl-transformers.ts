/** transformers.js in a page: loads the model as its documentation says, from bytes in memory. */
import type { Input } from "./models.js";
import type { Peer } from "./peers.js";

/**
 * The parts of the package that are used. It is fetched for the bench, so there are no types for
 * it.
 */
interface Transformers {
  env: {
    allowLocalModels: boolean;
    allowRemoteModels: boolean;
    useBrowserCache: boolean;
    useWasmCache: boolean;
    useCustomCache: boolean;
    customCache: object;
    backends: { onnx: { wasm: Record<string, unknown> } };
  };
  AutoModel: {
    from_pretrained(name: string, options: object): Promise<Model>;
  };
  Tensor: new (type: string, data: ArrayLike<number> | BigInt64Array, dims: number[]) => object;
}

type Model = ((inputs: object) => Promise<Record<string, { data: Float32Array }>>) & {
  dispose(): Promise<unknown>;
};

/** The files of the build and its WebAssembly, as the bench serves them. */
export const TRANSFORMERS_FILES = { build: "transformers.min.js", wasm: "transformers.wasm" };

export async function transformers(device: "wasm" | "webgpu"): Promise<Peer> {
  if (device === "webgpu" && !(await navigator.gpu?.requestAdapter())) {
    throw new Error("no WebGPU adapter here");
  }
  const build = `/${TRANSFORMERS_FILES.build}`;
  const { env, AutoModel, Tensor } = (await import(/* @vite-ignore */ build)) as Transformers;
  Object.assign(env, { allowLocalModels: true, allowRemoteModels: false });
  Object.assign(env, { useBrowserCache: false, useWasmCache: false });
  const wasmBinary = await (await fetch(`/${TRANSFORMERS_FILES.wasm}`)).arrayBuffer();
  Object.assign(env.backends.onnx.wasm, { numThreads: 1, wasmPaths: undefined, wasmBinary });
  const toTensor = ({ shape, data }: Input): object =>
    data instanceof Float32Array
      ? new Tensor("float32", data, shape)
      : new Tensor("int64", BigInt64Array.from(data, BigInt), shape);
  return {
    name: `transformers-${device}`,
    open: (_bench, { onnx }) => {
      const files: Readonly<Record<string, BodyInit>> = {
        "config.json": JSON.stringify({ model_type: "bert" }),
        "model.onnx": onnx as Uint8Array<ArrayBuffer>,
      };
      const match = (path: string): Promise<Response | undefined> => {
        const file = files[path.split("/").at(-1)!];
        return Promise.resolve(file === undefined ? undefined : new Response(file));
      };
      const customCache = { match, put: () => Promise.resolve() };
      Object.assign(env, { useCustomCache: true, customCache });
      const ready = async (): ReturnType<Awaited<ReturnType<Peer["open"]>>> => {
        const model = await AutoModel.from_pretrained("minilm", { device, dtype: "fp32" });
        return {
          call: async (inputs) => {
            const named = inputs.map((input, i) => [`x${i}`, toTensor(input)] as const);
            const [result] = Object.values(await model(Object.fromEntries(named)));
            return result!.data;
          },
          dispose: () => void model.dispose(),
        };
      };
      return Promise.resolve(ready);
    },
  };
}
