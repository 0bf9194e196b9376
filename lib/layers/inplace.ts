import { readOptions } from "../arguments.js";
import { Module } from "../module/index.js";

export interface InplaceOptions {
  /** Only printed: tensors never change here. Default: `false`. */
  inplace?: boolean;
}

/** What the activations have in common that PyTorch can run in place. */
export abstract class Inplace extends Module {
  readonly inplace: boolean;

  constructor(options?: InplaceOptions) {
    super();
    this.inplace = readOptions(this.constructor.name, { inplace: false }, options).inplace;
  }

  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/** `, inplace=True`, behind what else stands in a repr. */
export const inplaceText = ({ inplace }: { inplace: boolean }): string =>
  inplace ? ", inplace=True" : "";
