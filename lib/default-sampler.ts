/** Dropout in training and its like draw from the generator that `manualSeed` seeds. */
import { setSampler } from "./functional/sampler.js";
import { bernoulli, defaultGenerator, uniform } from "./random/index.js";

setSampler({ bernoulli, uniform, double: () => defaultGenerator.randomDouble() });
