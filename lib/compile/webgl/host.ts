/** Ops that have no program: they run as tfjs ops between the draw calls. */
import * as tf from "@tensorflow/tfjs-core";
import { type Argument, callNode, mapNodes, type Node } from "../../graph/index.js";

/** A tensor as row-major numbers, for input and output. */
export interface HostTensor {
  shape: readonly number[];
  dtype: string;
  values: tf.TypedArray;
}

/** What tfjs' webgl backend keeps of a tensor. */
interface TextureData {
  has(dataId: object): boolean;
  get(dataId: object): { values?: unknown; slice?: unknown };
}

/**
 * Whether a tensor's numbers are in memory, so that `dataSync` need not wait for tfjs' webgl
 * backend.
 */
export function isInMemory({ dataId }: tf.Tensor): boolean {
  const { texData } = tf.backend() as unknown as { texData?: TextureData };
  if (!texData?.has(dataId)) return false;
  const { values, slice } = texData.get(dataId);
  return Boolean(values) && !slice;
}

/** The array type that holds numbers of a dtype exactly. */
export const numbersFor = (dtype: string): Int32ArrayConstructor | Float32ArrayConstructor =>
  dtype === "int32" ? Int32Array : Float32Array;

export function toTensor({ shape, dtype, values }: HostTensor): tf.Tensor {
  const data = dtype === "float32" ? values : dtype === "bool" ? Uint8Array.from(values) : Int32Array.from(values); // prettier-ignore
  return tf.engine().makeTensor(data, [...shape], dtype as tf.DataType);
}

/** Runs a node in tfjs, on given values of the nodes that it reads. */
export function runNode(
  node: Node,
  read: (input: Node) => HostTensor | readonly HostTensor[],
): tf.TypedArray[] {
  return tf.tidy(() => {
    const tensors = (argument: Argument): unknown =>
      mapNodes(argument, (one) => {
        const value = read(one);
        return Array.isArray(value) ? (value as HostTensor[]).map(toTensor) : toTensor(value as HostTensor); // prettier-ignore
      });
    const result = callNode(node, tensors) as tf.Tensor | (tf.Tensor | null)[];
    return [result].flat().map((one) => (one === null ? new Float32Array(0) : one.dataSync()));
  });
}
