/**
 * Kernels for the CPU: WebAssembly SIMD (with multiply-add where the engine has it) that is emitted
 * at run time, and the same in plain JavaScript where it cannot run.
 *
 * How to use them:
 *
 * 1. `const heap = createHeap()`, after `await loadFallback()` where `bestBuild()` is `js`: one memory
 *    with an allocator. Addresses are plain numbers, in
 *    bytes; 0 (or absent) stands for an operand that is not there. Numbers are float32, row-major,
 *    channels first. `heap.f32` is the memory; get it anew after every `alloc`, which may grow it.
 *    Tensors that kernels read must be blocks of this heap: kernels may read a little past their
 *    end, which the allocator allows for.
 * 2. Pack weights once: `packLinear(heap, ...)` and its like, into a block of `packed…Bytes`.
 * 3. Prepare a kernel for the sizes: `const kernel = linear(heap, { m, n, k })`. That is cheap where
 *    the code is compiled already; it allocates nothing on the heap.
 * 4. `kernel.run({ x, weight, bias, out, workspace })`, as often as you like, on any addresses. The
 *    workspace is scratch memory of `kernel.workspaceBytes`; kernels that run one after the other
 *    can share one, as large as the largest needs.
 * 5. With threads: `createHeap({ shared: true })`, `await Threads.start(heap, n)` of `./threads.js`
 *    (null where there can be none), and `threads.program(steps)`, each step being
 *    `{ run: (part, parts) => kernel.run(pointers, part, parts), onOneThread: kernel.onOneThread }`
 *    with a workspace of `parts · workspaceBytes`. `program.run()` returns when all is done. Steps
 *    that are not kernels (tfjs ops) are steps with `onOneThread: true`.
 *
 * Nothing here checks addresses or sizes of blocks: that is the caller's, whose plan is static.
 */
export type { Activation } from "./activation.js";
export { bestBuild, type Build, supports } from "./build.js";
export { loadFallback, loadNarrowing, narrowing } from "./on-demand.js";
export type { ElementwiseStep } from "./elementwise-ops.js";
export { elementwise, stridesOf } from "./elementwise.js";
export { Chain, type Emit, FUNCTIONS, plain, stepsOf } from "./functions.js";
export { canShareMemory, createHeap, type Heap } from "./heap.js";
export {
  linear,
  type LinearSpec,
  packedLinearBytes,
  packLinear,
  type WeightType,
} from "./linear.js";
export { samePadding, windowsOf } from "./image.js";
export {
  conv,
  type ConvAlgorithm,
  type ConvSpec,
  fastestConv,
  packConv,
  packedConvBytes,
} from "./conv.js";
export { expand } from "./expand.js";
export { type Kernel, product } from "./kernel.js";
export { warmUp } from "./gemm.js";
export { recurrent, type RecurrentSpec } from "./recurrent.js";
export { depthwise, type DepthwiseSpec, pool, type PoolSpec } from "./windows.js";
export { groupNorm, layerNorm } from "./norm.js";
export { softmax } from "./softmax.js";
export { reduce, type ReduceSpec, type Reduction } from "./reduce.js";
export { copy, gather, permutation } from "./permute.js";
export { taps, type TapsSpec } from "./taps.js";
export { matmul, type MatmulSpec } from "./matmul.js";
export { attention, type AttentionSpec, type HeadStrides } from "./attention.js";
export type { ThreadProgram, Threads, ThreadStep } from "./threads.js";
export {
  convTranspose,
  type ConvTransposeSpec,
  packConvTranspose,
  packedConvTransposeBytes,
} from "./conv-transpose.js";
