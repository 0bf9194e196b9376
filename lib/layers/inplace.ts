import { readOptions } from "../arguments.js";
import { Module } from "../module/index.js";

export interface InplaceOptions {
  /** Only printed, because tensors never change here. Default: `false`. */
  inplace?: boolean;
}

/** The base of activations that PyTorch can compute in place. */
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

/** `, inplace=True` for a repr, if it is set. */
export const inplaceText = ({ inplace }: { inplace: boolean }): string =>
  inplace ? ", inplace=True" : "";
