export {
  defaultGenerator,
  Generator,
  initialSeed,
  manualSeed,
  seed,
  type GeneratorOption,
} from "./generator.js";
export { bernoulli, randint, randperm } from "./discrete.js";
export { normal, randn, type NormalOptions } from "./normal.js";
export { truncNormal, type TruncNormalOptions } from "./trunc-normal.js";
export { rand, uniform, type UniformOptions } from "./uniform.js";
export * as init from "./init.js";
