export * from "./activation.js";
export * from "./adaptive-pooling.js";
export * from "./linear.js";
export * from "./max-pooling.js";
export * from "./shape.js";
export * from "./shuffle.js";
