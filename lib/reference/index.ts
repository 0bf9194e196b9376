export { Affine, NeuralNetwork, Sigmoid, type Layer } from "./layers.js";
export { array, linspace, NdArray, type ArrayLike, type Nested } from "./nd-array.js";
export { rand, randn, RandomState, seed } from "./random-state.js";
export { formatShape } from "./shape.js";
