import * as tf from "@tensorflow/tfjs-core";
import { asBody, setDispatcher, setSketch, type Sketch } from "../functional/op.js";
import type { Graph } from "../graph/index.js";
import { setCallObserver } from "../module/call.js";
import type { Module } from "../module/index.js";
import { State } from "../module/parameter.js";
import { isModule } from "../module/walk.js";
import { RANDOM, Recorder } from "./recorder.js";
import { type Engine, patch, refusing } from "./refusals.js";
import { Pattern, takeApart } from "./structure.js";

/** A model, or any plain function of tensors. */
export type Traceable = Module | ((...args: never[]) => unknown);

export interface Traced {
  graph: Graph;
  /** What the traced call returned. */
  output: unknown;
  /** Disposes the output, except inputs and weights that were returned. */
  dispose: () => void;
}

/** Makes up results where only shapes are wanted. What it does not know (`null`) is computed. */
export interface Pretence {
  /**
   * `isAlive`: the inputs depend on an argument or a parameter, or are made up, so their values
   * must not be read.
   */
  kernel(name: string, inputs: tf.NamedTensorMap, attrs: object | undefined, isAlive: boolean): tf.Tensor | null; // prettier-ignore
  /** The result of a kernel that an op's body asks for after it has checked its arguments. */
  sketch: Sketch;
  /** Called when the trace is done. */
  end(): void;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Runs a model once and records it as a graph: every op of `functional` as one node, a raw tfjs
 * call as the kernel that it runs, parameters and buffers under their state_dict key.
 *
 * ```ts
 * console.log(String(nn.trace(model, tf.zeros([1, 3, 224, 224]))));
 * ```
 *
 * @param example a tensor, or the list of all arguments of a call.
 * @throws TraceError where the model reads the values of a tensor (`dataSync`) or draws random
 *   numbers: a graph would repeat those of the example for ever.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.jit.trace.html
 */
export function trace(model: Traceable, example: unknown): Graph {
  const { graph, dispose } = record(model, Array.isArray(example) ? example : [example]);
  dispose();
  return graph;
}

/**
 * Like {@link trace}, and returns the call's output too.
 *
 * @param into ops that are not recorded themselves; what their bodies call is.
 * @param pretence makes up results of the right shape, so that kernels need not run.
 * @param onModule is called with each module before the module is called.
 */
export function record(
  model: Traceable,
  args: readonly unknown[],
  into: ReadonlySet<string> = NONE,
  pretence: Pretence | null = null,
  onModule: (module: Module) => void = () => {},
): Traced {
  const engine = tf.engine() as unknown as Engine;
  const { runKernel, readSync } = engine;
  const recorder = new Recorder(isModule(model) ? model : null, readSync.bind(engine));
  const { tensors, skeleton } = takeApart(args);
  const handles = handlesOf(tensors, recorder);
  let inside = 0; // how many ops deep; what happens inside of an op is not recorded
  const isOutside = (): boolean => inside === 0;
  const within = <T>(run: () => T): T => {
    inside += 1;
    try {
      return run();
    } finally {
      inside -= 1;
    }
  };
  const restore = [
    patch(engine, "runKernel", (name, inputs, attrs) => {
      if (inside === 0 && SHAPED_BY_VALUES.test(name)) recorder.refuse(shapedBy(name));
      const isAlive = recorder.areAlive(inputs);
      const made = pretence?.kernel(name, inputs, attrs, isAlive);
      // Numbers that nobody looks at are moved by kernels of ours, as those of an op's body.
      const result =
        made ?? within(() => asBody(() => runKernel.call(engine, name, inputs, attrs)));
      if (isAlive || made) for (const one of [result].flat()) recorder.enliven(one);
      if (inside === 0) recorder.call(`tfjs.${name}`, [inputs, attrs ?? {}], result);
      return result;
    }),
    ...refusing(engine, recorder, isOutside),
  ];
  // Only inside of recorded ops: of the ops in `into`, the kernels they call are to be recorded.
  setSketch(
    pretence &&
      ((name, given) => {
        const made = inside > 0 && recorder.areAlive(given as never) ? pretence.sketch(name, given) : null; // prettier-ignore
        for (const one of [made ?? []].flat()) recorder.enliven(one);
        return made;
      }),
  );
  const dispatcher = setDispatcher(
    <R>(name: string, body: (...all: unknown[]) => R, given: unknown[]): R => {
      if (inside > 0 || into.has(name)) return body(...given);
      const isShaped =
        name === "one_hot" ? !hasClasses(given[1]) : SHAPED_BY_VALUES.test(name) && recorder.areAlive(given as never); // prettier-ignore
      if (isShaped) recorder.refuse(shapedBy(name));
      const result = within(() => body(...given));
      recorder.call(name, given, result);
      return result;
    },
  );
  const observer = setCallObserver({
    enter: (module) => {
      onModule(module);
      recorder.enter(module);
    },
    leave: () => recorder.leave(),
    // Ops of `functional` may draw random numbers: a recorded op draws new ones in every run.
    draw: () => {
      if (inside === 0) recorder.refuse(RANDOM);
    },
  });
  try {
    return run(model, new Pattern({ skeleton, tensors: handles }), handles, recorder);
  } finally {
    setCallObserver(observer);
    setDispatcher(dispatcher);
    setSketch(null);
    for (const back of restore.reverse()) back();
    pretence?.end();
  }
}

/**
 * Separate handles for this call: an argument may also be a weight, or a tensor that `forward`
 * knows from elsewhere.
 */
function handlesOf(tensors: readonly tf.Tensor[], recorder: Recorder): tf.Tensor[] {
  return tensors.map((tensor) => {
    const handle = Object.create(tensor) as tf.Tensor;
    // The handle shares its data with the caller's example, which would be disposed as well.
    handle.dispose = () => recorder.refuse("forward disposes what it is given: a plan would not");
    recorder.input(handle);
    return handle;
  });
}

/** Calls the model, and records its output. */
function run(
  model: Traceable,
  pattern: Pattern,
  handles: readonly tf.Tensor[],
  recorder: Recorder,
): Traced {
  const given = pattern.fill(handles);
  // In a `tidy`, because what a plain function leaves behind has made-up numbers, like its result;
  // and if this throws, the caller gets neither.
  const output: unknown = tf.tidy(() => {
    const result = (model as (...args: unknown[]) => unknown)(...given);
    recorder.output(result);
    if (recorder.refused) throw recorder.refused;
    const now: tf.Tensor[] = [];
    const isSame = pattern.match(given, now) && now.every((tensor, i) => tensor === handles[i]);
    if (!isSame) recorder.refuse(CHANGES);
    return result as tf.TensorContainer;
  });
  const dispose = (): void => {
    for (const tensor of takeApart(output).tensors) {
      if (recorder.isMade(tensor) && !(tensor instanceof State)) tensor.dispose();
    }
  };
  return { graph: recorder.graph, output, dispose };
}

/**
 * Kernels, and ops of exported programs, whose result shapes depend on the values of their inputs.
 */
const SHAPED_BY_VALUES = /^(Unique|NonMaxSuppression|Ragged|Sparse(FillEmptyRows|Reshape|Segment)|String|Where$|(bincount|nms|nonzero|repeat_interleave|unique(_dim)?)$)/; // prettier-ignore
const shapedBy = (name: string): string =>
  `the shape of what ${name} gives depends on values: a trace would freeze that of the example`;

/** Whether the number of classes is given to `one_hot`, in either form. */
function hasClasses(given: unknown): boolean {
  const count = typeof given === "number" ? given : (given as { numClasses?: number } | undefined)?.numClasses; // prettier-ignore
  return count !== undefined && count >= 0;
}

const CHANGES = "forward changes a list or an object that it is given: a plan would not";
