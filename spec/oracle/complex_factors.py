"""What PyTorch makes of complex matrices, for spec/exported/complex-factors.spec.ts.

    python spec/oracle/complex_factors.py spec/goldens/complex-factors.json

A tensor is `{"shape", "re", "im"}`, without `im` if it is real. Singular and eigenvectors may be turned by any
phase: of those only the values are here.
"""
import json, sys

import torch

torch.manual_seed(0)
A = torch.ops.aten
C = torch.complex64
square, tall, batch = (torch.randn(*shape, dtype=C) for shape in ((3, 3), (4, 2), (2, 3, 3)))
positive = batch @ batch.mH + 3 * torch.eye(3)
right = torch.randn(3, 2, dtype=C)
singular = torch.tensor([[1, 1j], [1j, -1]], dtype=C)
zero = torch.zeros(0, 0, dtype=C)
three = torch.randn(3, 3, 3, dtype=C)
i = torch.tensor

CALLS = [
    (A.linalg_svdvals.default, tall), (A.linalg_svdvals.default, tall.mH), (A.linalg_svdvals.default, batch), (A.linalg_svdvals.default, singular),
    (A.linalg_eigvalsh.default, positive), (A.linalg_eigvalsh.default, positive, "U"), (A.linalg_eigvalsh.default, square), (A.linalg_eigvalsh.default, square, "U"),
    (A.linalg_qr.default, tall), (A.linalg_qr.default, tall, "complete"), (A.linalg_qr.default, tall.mH), (A.linalg_qr.default, batch), (A.linalg_qr.default, square),
    (A.linalg_lu.default, tall), (A.linalg_lu.default, batch), (A.linalg_lu.default, tall.mH), (A.linalg_lu_factor.default, batch), (A.linalg_lu_factor_ex.default, singular),
    (A.linalg_det.default, batch), (A.linalg_det.default, zero), (A.linalg_slogdet.default, batch), (A.linalg_slogdet.default, singular), (A.logdet.default, square),
    (A.linalg_cholesky.default, positive), (A.linalg_cholesky.default, positive, {"upper": True}), (A.linalg_cholesky_ex.default, positive[0]),
    (A.cholesky_solve.default, right, torch.linalg.cholesky(positive[0])), (A.cholesky_solve.default, right, torch.linalg.cholesky(positive[0], upper=True), True),
    (A.cholesky_inverse.default, torch.linalg.cholesky(positive[0])),
    (A.linalg_solve_triangular.default, square, right, {"upper": True}), (A.linalg_solve_triangular.default, square, right, {"upper": False, "unitriangular": True}),
    (A.linalg_solve_triangular.default, square, right.mH, {"upper": False, "left": False}), (A.triangular_solve.default, right, square, False, True),
    (A.linalg_lu_solve.default, *torch.linalg.lu_factor(square), right), (A.linalg_lu_solve.default, *torch.linalg.lu_factor(square), right.mH, {"left": False}),
    (A.linalg_lu_solve.default, *torch.linalg.lu_factor(square), right, {"adjoint": True}), (A.lu_unpack.default, *torch.linalg.lu_factor(square)),
    (A.linalg_matrix_norm.str_ord, tall, "nuc"), (A.linalg_matrix_norm.default, batch, 2), (A.linalg_matrix_norm.default, batch, -2, [2, 0], True), (A.linalg_matrix_norm.default, tall, 1),
    (A.linalg_norm.ord_str, tall, "fro"), (A.linalg_norm.default, tall[0], 1), (A.linalg_norm.default, square, 2), (A.linalg_cond.default, square), (A.linalg_cond.p_str, square, "fro"),
    (A.linalg_matrix_rank.default, singular, 0.1), (A.linalg_matrix_rank.atol_rtol_float, batch), (A.var_mean.correction, batch, [0], {"correction": 1}), (A.std_mean.dim, tall, [1], True, True),
    (A.var_mean.default, tall), (A.isclose.default, tall, tall + i([1e-7j, 0.1])), (A.count_nonzero.dim_IntList, singular, [0]),
    (A.linalg_solve_triangular.default, three, square, {"upper": True}), (A.triangular_solve.default, batch, square),
    (A.linalg_lu_solve.default, *torch.linalg.lu_factor(three), square), (A.linalg_lu_solve.default, *torch.linalg.lu_factor(batch), right.mH, {"left": False, "adjoint": True}),
    (A.lu_unpack.default, *torch.linalg.lu_factor(square), True, False), (A.lu_unpack.default, *torch.linalg.lu_factor(square), False), (A.linalg_matrix_rank.default, batch, 0.5, True),
]  # fmt: skip


def put(value):
    if isinstance(value, torch.Tensor):
        shape, value = list(value.shape), value.resolve_conj().flatten()
        if value.is_complex():
            return {"shape": shape, "re": value.real.tolist(), "im": value.imag.tolist()}
        return {"shape": shape, "re": value.tolist()}
    if isinstance(value, (list, tuple)):
        return [put(one) for one in value]
    return value if isinstance(value, (bool, int, float, str)) else str(value)


calls = []
for op, *args in CALLS:
    kwargs = args.pop() if isinstance(args[-1], dict) else {}
    kwargs = {name: one for name, one in kwargs.items()}
    results = op(*args, **kwargs)
    calls.append({"target": str(op), "args": put(args), "kwargs": kwargs, "results": put(results if isinstance(results, tuple) else [results])})
matrices = {"square": square, "tall": tall, "wide": tall.mH, "batch": batch, "positive": positive, "singular": singular, "zero": torch.zeros(2, 2, dtype=C)}
with open(sys.argv[1], "w") as file:
    file.write(json.dumps({"calls": calls, "matrices": {name: put(one) for name, one in matrices.items()}}, allow_nan=True).replace("-Infinity", '"-inf"') + "\n")
print(len(calls), "calls")
