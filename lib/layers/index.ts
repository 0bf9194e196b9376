export * from "./activation.js";
export * from "./linear.js";
