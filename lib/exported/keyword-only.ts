/**
 * Which arguments of an op are keyword-only. Files of PyTorch 2.5 and before do not tell; PyTorch
 * looks it up in its schemas, and these rules summarise them.
 */
const ALWAYS = new Set([
  ...["layout", "pin_memory", "out", "generator"],
  ...["rounding_mode", "correction", "requires_grad", "side", "sorter", "out_int32", "right"],
  "enable_gqa",
]);

/** Argument name → the ops in which it is keyword-only. */
const OF_OPS: Readonly<Record<string, RegExp>> = {
  alpha: /^aten\.(add|sub|rsub_tensor|addmm|addmv|addr|baddbmm|addbmm|index_add|add_|sub_)\./,
  beta: /^aten\.(addmm|addmv|addr|baddbmm|addbmm)\./,
  value: /^aten\.(addcmul|addcdiv)\./,
  scale: /^aten\.(scaled_dot_product_attention|_scaled_dot_product\w*)\./,
  stable: /^aten\.(sort|argsort)\.stable/,
  dtype:
    /^aten\.(?!(to\.dtype|to\.device|softmax\.|log_softmax\.|_softmax|_log_softmax|type_as|view\.dtype|_to_dense))/,
  non_blocking: /^aten\._to_copy\./,
  include_self: /^aten\.(scatter_reduce|index_reduce)\./,
  reduce: /^aten\.scatter\.(value_reduce|reduce)/,
  attn_mask: /^aten\._scaled_dot_product_flash_attention_for_cpu\./,
  device: /^aten\.(?!to\.device)/,
  memory_format: /^aten\.(?!to\.)/,
};

export function isKeywordOnly(target: string, name: string): boolean {
  const pattern = Object.hasOwn(OF_OPS, name) ? OF_OPS[name] : undefined;
  if (pattern !== undefined) return pattern.test(target);
  return target.startsWith("aten.") && ALWAYS.has(name);
}
