/** All kernels in plain JavaScript. */
export { elementwiseInJs } from "./elementwise.js";
export { gemmInJs } from "./gemm.js";
export { imageInJs } from "./image.js";
export { normInJs } from "./norm.js";
export { transposeInJs } from "./permute.js";
export { recurrentInJs } from "./recurrent.js";
export { reduceInJs } from "./reduce.js";
export { scatterInJs } from "./scatter.js";
export { softmaxInJs } from "./softmax.js";
export { depthwiseInJs, windowsInJs } from "./windows.js";
export { winogradInJs } from "./winograd.js";
