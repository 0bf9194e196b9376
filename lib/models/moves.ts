/**
 * Ops that only move numbers, run as in the body of an op, so that they may use our kernels: tfjs'
 * cpu backend moves numbers one by one.
 */
import * as tf from "@tensorflow/tfjs-core";
import { asBody } from "../functional/op.js";

export const transpose = (x: tf.Tensor, order: number[]): tf.Tensor =>
  asBody(() => tf.transpose(x, order));

/** Equal parts along a dimension. */
export const split = (x: tf.Tensor, count: number, dim: number): tf.Tensor[] =>
  asBody(() => tf.split(x, count, dim));
