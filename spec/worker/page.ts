/** What the specs do with the model in the worker, in Node and in a page alike. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { type AnyWorker, connect } from "sconce/worker";

export { connect, tf };

type Forward = (x: tf.Tensor, options?: { scale?: number }) => { y: tf.Tensor; list: tf.Tensor[] };

const nameOf = (error: unknown): string => {
  const { name, message } = error as Error;
  return `${name}: ${message.split("\n")[0]}`;
};

/** Everything that is to be seen of it from outside. */
export async function useModel(worker: AnyWorker): Promise<Record<string, unknown>> {
  const model = connect<Forward>(worker);
  const x = tf.tensor2d([[1, -2]]);
  const { y, list } = await model(x);
  const tripled = await model(x, { scale: 3 });
  const failed = await model(tf.zeros([2])).catch(nameOf);
  const controller = new AbortController();
  const first = model(x);
  const cancelled = model.run([x], { signal: controller.signal }).catch(nameOf);
  controller.abort();
  const already = await model.run([x], { signal: AbortSignal.abort() }).catch(nameOf);
  const unknown = await Promise.resolve()
    .then(() => model.run([x], { sgnal: null } as never))
    .catch(nameOf);
  const seen = {
    y: Array.from(y.dataSync()),
    shape: y.shape,
    list: [list[0]!.dtype, ...list[0]!.dataSync()],
    tripled: Array.from(tripled.y.dataSync()),
    failed,
    cancelled: await cancelled,
    already,
    unknown,
    goesOn: Array.from((await first).y.dataSync()),
    isLeft: !x.isDisposed,
  };
  const last = model(x).catch(nameOf);
  model.dispose();
  return { ...seen, disposed: await last, after: await model(x).catch(nameOf) };
}
