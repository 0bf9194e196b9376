"""Calls of ATen ops that PyTorch refuses, and what it says, for spec/exported/refused.spec.ts.

    python spec/oracle/refused.py spec/goldens/refused.json

A tensor is `{"$tensor": [dtype, shape, values]}`, a number that JSON lacks `{"$number": "inf"}`.
"""
import json, math, sys, warnings

import torch

warnings.filterwarnings("ignore")
A = torch.ops.aten
inf, nan = math.inf, math.nan
i = torch.tensor
x = torch.arange(12.0).reshape(3, 4) / 12
s = torch.tensor(2.0)
image = torch.ones(1, 1, 2, 2)

CALLS = [
    (A.topk.default, x, 5), (A.topk.default, x, -1), (A.topk.default, s, 2), (A.kthvalue.default, x, 5), (A.kthvalue.default, x, 0, 0),
    (A.kthvalue.default, torch.zeros(0), 1), (A.median.dim, torch.zeros(0, 3), 0), (A.mode.default, torch.zeros(0, 3), 0),
    (A.arange.default, -3), (A.arange.start, 0, -3), (A.arange.start_step, 0, 3, -1), (A.arange.start_step, 0, 3, 0), (A.arange.start, 0, inf),
    (A.arange.start, 0, nan), (A.range.default, 0, -3), (A.range.step, 0, 3, -1), (A.range.step, 0, 3, 0), (A.range.default, 0, inf),
    (A.linspace.default, 0, 1, -1), (A.logspace.default, 0, 1, -1),
    (A.histc.default, x, 0), (A.histc.default, i([inf, 1.0])), (A.histc.default, x, 3, 1, 0), (A.histc.default, x, 3, nan, 1), (A.histc.default, x, 3, 0, inf),
    (A.histogram.bin_ct, x, 0), (A.histogram.bin_ct, i([nan, 1.0]), 3), (A.histogram.bin_ct, i([1.0, inf]), 3), (A.histogram.bin_ct, x, 3, {"range": [1.0, 0.0]}),
    (A.histogram.bin_ct, x, 3, {"range": [0.0, inf]}), (A.histogram.bin_ct, x, 3, {"range": [0.0, 1.0], "weight": x[0]}), (A.histogram.bins_tensor, x, torch.zeros(0)),
    (A.histogram.bins_tensor, x, torch.zeros(1)), (A.histogram.bins_tensor, x, x), (A.histogramdd.default, x, [3, 3]),
    (A.histogramdd.default, x, [3, 3, 3, 0]), (A.histogramdd.default, x, [3, 3, 3, 3], [0.0, 1.0]),
    (A.histogramdd.default, x[:, :2] + nan, [3, 3]),
    (A.bincount.default, i([-1, 2])), (A.bincount.default, i([[1]])), (A.bincount.default, i([1]), None, -1), (A.bincount.default, i([1]), x[0]),
    (A.quantile.scalar, x, 1.5), (A.quantile.scalar, x, nan), (A.quantile.default, x, i([0.5, 2.0])), (A.quantile.scalar, torch.zeros(0), 0.5),
    (A.max.default, torch.zeros(0)), (A.min.dim, torch.zeros(0, 2), 0), (A.aminmax.default, torch.zeros(0)), (A.aminmax.default, torch.zeros(0, 2), {"dim": 0}),
    (A.argmax.default, torch.zeros(0, 2), 0),
    (A.gather.default, x, 0, i([[3]])), (A.gather.default, x, 1, i([[4]])), (A.gather.default, x, 0, i([[-1]])), (A.gather.default, x, 0, i([0])),
    (A.gather.default, x, 1, i([[0]] * 4)), (A.scatter.value, x, 0, i([[3]]), 1.0), (A.scatter.value, x, 1, i([0]), 1.0), (A.scatter.value, x, 1, i([[0]] * 4), 1.0),
    (A.scatter.src, x, 1, i([[0, 4]]), x), (A.scatter_add.default, x, 1, i([[0, 1], [0, 1]]), x[:1]), (A.scatter_reduce.two, x, 0, i([[-1]]), x, "sum"),
    (A.index_select.default, x, 0, i([3])), (A.index_select.default, x, 0, i([-1])), (A.index_select.default, x, 0, i([[1]])),
    (A.index_add.default, x, 0, i([3]), x[:1]), (A.index_add.default, x, 0, i([0, 1]), x[:1]), (A.index_add.default, x, 0, i([0]), x[:1, :2]),
    (A.index_copy.default, x, 0, i([3]), x[:1]), (A.index_fill.int_Scalar, x, 0, i([3]), 1), (A.index_fill.int_Scalar, x, 0, i([[0]]), 1),
    (A.index_reduce.default, x, 0, i([0, 1]), x[:1], "prod"), (A.take.default, x, i([12])), (A.take.default, x, i([-13])), (A.put.default, x, i([12]), i([1.0])),
    (A.put.default, x, i([1, 2]), i([1.0])), (A.index.Tensor, x, [i([3])]), (A.index.Tensor, x, [i([-4])]), (A.index.Tensor, x, [None, i([4])]), (A.index.Tensor, torch.zeros(3, 0), [None, i([0])]),
    (A.index.Tensor, x, [i([True, False, True, True])]), (A.index.Tensor, x, [i([[True, False]])]), (A.index_put.default, x, [i([3])], s),
    (A.index_put.default, x, [i([True, False])], s), (A.masked_scatter.default, x, x > -1, i([1.0])),
    (A.repeat_interleave.Tensor, i([1, -1])), (A.repeat_interleave.self_Tensor, x, i([1, 2]), 0), (A.repeat_interleave.self_int, x, -1, 0),
    (A.cross_entropy_loss.default, x, i([0, 4, 1])), (A.cross_entropy_loss.default, x, i([0, -1, 1])), (A.cross_entropy_loss.default, x, i([0, 1])),
    (A.nll_loss_nd.default, x, i([0, 9, 1])), (A.multi_margin_loss.default, x, i([0, 9, 1])), (A.multi_margin_loss.default, x, i([0, 1, 1]), 3),
    (A.binary_cross_entropy.default, x * 2, x), (A.binary_cross_entropy.default, x, x * 2), (A.binary_cross_entropy.default, x + nan, x),
    (A.max_unpool2d.default, image, image.long() * 99, [4, 4]), (A.max_unpool2d.default, image, image.long()[..., :1], [4, 4]),
    (A.segment_reduce.default, x, "sum", {"lengths": i([1, 1])}), (A.segment_reduce.default, x, "sum", {"lengths": i([-1, 4])}),
    (A.mm.default, x[0], x), (A.addmm.default, x, x, x[0]), (A.bmm.default, x, x), (A.mv.default, x, x), (A.addr.default, x, s, x[0]), (A.outer.default, s, x[0]),
    (A.chunk.default, x, 0), (A.hsplit.int, x, 3), (A.vsplit.int, x, 2), (A.dsplit.int, x[None], 3), (A.cdist.default, x, x[:, :2]), (A.cdist.default, x, x, -1.0),
    (A.linalg_cross.default, x, x), (A.linalg_cross.default, x[:, :3], x[0, :3]), (A.diff.default, x, -1), (A.flip.default, x, [0, 0]), (A.item.default, x),
    (A.linalg_vander.default, x, {"N": 1}), (A.vander.default, x[0], -1), (A.combinations.default, x), (A.combinations.default, x[0], -1),
    (A.cartesian_prod.default, [x]), (A.roll.default, x, [1, 2], [0]), (A.renorm.default, x, 2.0, 0, -1.0), (A.matrix_H.default, x[0]), (A.mT.default, x[0]),
    (A.select_scatter.default, x, x, 0, 0), (A.select_scatter.default, x, x[0], 0, 5), (A.diagonal_scatter.default, x, x),
    (A.searchsorted.Tensor, x, x[:2, :2]), (A.bucketize.Tensor, x, x), (A.repeat.default, x, [2]), (A.rot90.default, x, 1, [0, 0]), (A.pdist.default, x[0]),
    (A.fft_fftn.default, x, [2], [0, 1]), (A.fft_fftn.default, x, None, [0, 0]), (A.meshgrid.default, []), (A.movedim.intlist, x, [0, 1], [0]),
    (A.masked_fill.Tensor, x, x > 0, x[0]), (A.unsqueeze.default, x, 3), (A.unfold.default, x, 0, 4, 1), (A.unfold.default, x, 0, 2, 0),
    (A.linalg_solve.default, x, x), (A.linalg_solve.default, torch.eye(3), torch.eye(2)), (A.linalg_solve.default, x[0], x), (A.linalg_solve.default, torch.eye(2), torch.ones(2), {"left": False}), (A.linalg_solve.default, torch.eye(2), torch.ones(3)), (A.linalg_inv.default, x),
    (A.linalg_eigh.default, x), (A.linalg_eig.default, x), (A.linalg_cholesky.default, x), (A.linalg_det.default, x[0]), (A.linalg_slogdet.default, x), (A.logdet.default, x),
    (A.linalg_matrix_power.default, x, 2), (A.linalg_matrix_exp.default, x), (A.linalg_ldl_factor.default, x), (A.linalg_solve_triangular.default, x, x, {"upper": True}),
    (A.linalg_solve_triangular.default, torch.eye(3), torch.eye(2), {"upper": True}), (A.linalg_lu_solve.default, x, i([1, 2, 3], dtype=torch.int32), x),
    (A.cholesky_solve.default, torch.eye(2), torch.eye(3)), (A.linalg_inv.default, torch.zeros(2, 2)), (A.linalg_inv.default, torch.eye(2).repeat(2, 1, 1) * i([[[1.0]], [[0.0]]])),
    (A.linalg_solve.default, torch.ones(2, 2), torch.eye(2)), (A.linalg_solve_ex.default, torch.ones(2, 2), torch.eye(2), {"check_errors": True}),
    (A.linalg_lu_factor.default, torch.ones(2, 2)), (A.linalg_cholesky.default, i([[1.0, 2.0], [2.0, 1.0]])), (A.quantile.scalar, s, 0.5, 1), (A.median.dim, s, 1),
    (A.cumsum.default, s, 1), (A.index_select.default, s, 1, i([0])), (A.index_select.default, s, 0, i([0, 0])), (A.unsafe_split.Tensor, x, -1), (A.cat.default, []), (A.cat.default, [x, x[0]]), (A.cat.default, [x, x[:, :2]]),
    (A.cat.default, [x, x[:2]], 1), (A.stack.default, []), (A.stack.default, [x, x[:2]]), (A.hstack.default, []), (A.vstack.default, []),
    (A.add.Tensor, x, x[:, :3]), (A.mul.Tensor, x, x[:2, :2]), (A.where.self, x > 0, x, x[:, :3]), (A.eq.Tensor, x, x[:2]), (A.maximum.default, x, x[0, :3]), (A.div.Tensor, x, x[0, :3]), (A.split.Tensor, x, 0), (A.split_with_sizes.default, x, [1, 1]), (A.split_with_sizes.default, x, [4, -1]),
    (A.linalg_householder_product.default, x, x[0]), (A.split.Tensor, s, 1), (A.chunk.default, s, 2), (A.unsafe_chunk.default, s, 1), (A.unbind.int, s),
    (A.vsplit.int, x[0], 2), (A.hsplit.int, s, 1), (A.dsplit.int, x, 1), (A.renorm.default, x[0], 2.0, 0, 1.0), (A.trace.default, x[0]), (A.t.default, x[None]),
    (A.dot.default, x, x[0]), (A.vdot.default, x[0], x), (A.polygamma.default, -1, x), (A.narrow.default, x, 0, 0, -1), (A.vsplit.array, x[0], [1]),
    (A.view.default, torch.zeros(0, 3), [0, -1]), (A.view.default, x, [5, -1]), (A.view.default, x, [0, -1]), (A.view.default, x, [2, 3]),
]  # fmt: skip


def put(value):
    if isinstance(value, torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        return {"$tensor": [kind, list(value.shape), [put(one) for one in value.flatten().tolist()]]}
    if isinstance(value, (list, tuple)):
        return [put(one) for one in value]
    if isinstance(value, dict):
        return {key: put(one) for key, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": str(value)}
    return value


refused = []
for op, *args in CALLS:
    kwargs = args.pop() if isinstance(args[-1], dict) else {}
    try:
        op(*args, **kwargs)
    except (RuntimeError, IndexError, ValueError) as error:
        message = str(error).splitlines()[0]
    else:
        raise SystemExit(f"{op} is not refused: {args}")
    refused.append({"target": str(op), "args": put(args), "kwargs": put(kwargs), "message": message})

with open(sys.argv[1], "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(one) for one in refused) + "\n]\n")
print(len(refused), "calls are refused")
