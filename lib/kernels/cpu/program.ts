/** Kernels in a row as one function, so that small ones cost no JavaScript. */
import { type Code, moduleBytes, sized, sleb, text, uleb, vector } from "../../wasm/encode.js";
import type { Call, Heap } from "./heap.js";
import { record } from "./record.js";
import type { ThreadStep } from "./threads.js";
import type { Types } from "./wasm/module.js";

/** A step of more calls is so long that what is between them does not count. */
const MOST_CALLS = 100;

/**
 * The same steps on one thread, but what is WebAssembly in a row in one call. They must do the same
 * in every run, as those that several threads share do.
 */
export function joined(heap: Heap, steps: readonly ThreadStep[]): (() => void)[] {
  const all: (() => void)[] = [];
  let calls: Call[] = [];
  const close = (): void => {
    if (calls.length > 0) all.push(inOneCall(heap, calls));
    calls = [];
  };
  for (const { run, onOneThread } of steps) {
    const alone = (): void => run(0, 1);
    const own = onOneThread || heap.build === "js" ? [] : record(heap, alone);
    if (own.length > 0 && own.length < MOST_CALLS) calls.push(...own);
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
  const typesOf = ({ module, index }: Call): Types => heap.modules[module]!.types[index]!;
  const code = calls.map((one, i) => [
    one.args.map((value, at) => constant(typesOf(one)[at]!, value)),
    [0x10, uleb(i)],
  ]);
  const bytes = moduleBytes([
    [1, vector([...calls.map(typesOf), []].map(signature))],
    [2, vector(calls.map((_, i) => [text(""), text(`${i}`), 0, uleb(i)]))],
    [3, vector([uleb(calls.length)])],
    [7, vector([[text(""), 0, uleb(calls.length)]])],
    [10, vector([sized([0, code, 0x0b])])],
  ]);
  const imports = { "": calls.map(({ call }) => call) as unknown as WebAssembly.ModuleImports };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports[""] as () => void;
}

const signature = (types: Types): Code => [
  0x60,
  vector(types.map((type) => [type === "f32" ? 0x7d : 0x7f])),
  0,
];

const constant = (type: Types[number], value: number): Code =>
  type === "f32" ? [0x43, new Uint8Array(Float32Array.of(value).buffer)] : [0x41, sleb(value)];
