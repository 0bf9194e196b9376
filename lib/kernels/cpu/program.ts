/**
 * Joins successive kernel calls into one WebAssembly function, so that small kernels cost no
 * JavaScript.
 */
import {
  bytesOf,
  type Code,
  join,
  moduleBytes,
  sized,
  sleb,
  text,
  uleb,
  vector,
} from "../../wasm/encode.js";
import type { Call, Heap } from "./heap.js";
import { record } from "./record.js";
import type { ThreadStep } from "./threads.js";
import type { Types } from "./wasm/module.js";

/** A step with more calls than this takes so long that the time between calls does not matter. */
const MOST_OF_A_STEP = 100;

/** At most this many calls are joined, since the page waits meanwhile; the rest stays as it is. */
const MOST_CALLS = 500;

/**
 * The same steps for one thread, with successive WebAssembly calls joined into one. The steps must
 * do the same in every run, as those recorded for several threads.
 */
export function joined(heap: Heap, steps: readonly ThreadStep[]): (() => void)[] {
  const all: (() => void)[] = [];
  let calls: Call[] = [];
  let left = heap.build === "js" ? 0 : MOST_CALLS;
  const close = (): void => {
    if (calls.length > 0) all.push(inOneCall(heap, calls));
    calls = [];
  };
  for (const { run, onOneThread } of steps) {
    const alone = (): void => run(0, 1);
    const own = onOneThread || left <= 0 ? [] : record(heap, alone);
    left -= own.length;
    if (own.length > 0 && own.length <= MOST_OF_A_STEP) calls.push(...own);
    else {
      close();
      all.push(alone);
    }
  }
  close();
  return all;
}

/** A module that makes these calls one after the other, with their arguments as constants. */
function inOneCall(heap: Heap, calls: readonly Call[]): () => void {
  const typesOf = ({ module }: Call): Types => heap.modules[module]!.types;
  const functions = [...new Map(calls.map((one) => [one.call, one])).values()];
  const indices = new Map(functions.map(({ call }, i) => [call, uleb(i)]));
  const code = calls.flatMap((one) => [
    ...one.args.map((value, at) => constant(typesOf(one)[at]!, value)),
    [0x10, ...indices.get(one.call)!],
  ]);
  const own = uleb(functions.length);
  const bytes = moduleBytes([
    [1, vector([...functions.map(typesOf), []].map(signature))],
    [2, vector(functions.map((_, i) => join(text(""), text(`${i}`), [0], uleb(i))))],
    [3, vector([own])],
    [7, vector([join(text(""), [0], own)])],
    [10, vector([sized(join([0], ...code, [0x0b]))])],
  ]);
  const imports = { "": functions.map(({ call }) => call) as unknown as WebAssembly.ModuleImports };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports[""] as () => void;
}

const signature = (types: Types): Code =>
  join([0x60], vector(types.map((type) => [type === "f32" ? 0x7d : 0x7f])), [0]);

const constant = (type: Types[number], value: number): Code =>
  type === "f32" ? join([0x43], bytesOf(Float32Array.of(value))) : [0x41, ...sleb(value)];
