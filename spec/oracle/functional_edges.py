"""torch.nn.functional at its edges: what PyTorch's own suites leave out.

    python spec/oracle/functional_edges.py        # writes spec/goldens/functional-edges.*
"""

import argparse
import os
import warnings

import recorder
import torch
import torch.nn.functional as F

here = os.path.dirname(__file__)
parser = argparse.ArgumentParser()
parser.add_argument("--out", default=os.path.join(here, "..", "goldens", "functional-edges"))
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()
warnings.filterwarnings("ignore")
torch.manual_seed(arguments.seed)
nan, inf = float("nan"), float("inf")


def r(*shape):
    return torch.randn(*shape)


def ok(function, *args, **kwargs):
    with recorder.recording():
        function(*args, **kwargs)


def exact(function, *args, **kwargs):
    with recorder.recording(double=True):
        function(*args, **kwargs)


def bad(function, *args, **kwargs):
    with recorder.recording("error ", error=True):
        try:
            function(*args, **kwargs)
        except Exception:
            return
    print("no error:", function.__name__, args, kwargs)


SPECIAL = torch.tensor([nan, inf, -inf, -0.0, 0.0, 1e4, -1e4, 1e38, -1e38, 1e-30, -1e-30, 89.0, -89.0, 20.0, -20.0, 0.5, -0.5])
UNARY = "celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu relu6 rrelu selu sigmoid"
UNARY = [getattr(F, name) for name in (UNARY + " silu softplus softshrink softsign tanh tanhshrink").split()]


def activations():
    for function in UNARY:
        # oneDNN's exact gelu gives NaN for infinity, PyTorch's own kernel does not.
        with torch.backends.mkldnn.flags(enabled=False):
            ok(function, SPECIAL)
        ok(function, torch.tensor(-0.7))
        ok(function, r(0, 3))
    ok(F.gelu, SPECIAL, approximate="tanh")
    ok(F.softplus, SPECIAL, beta=0.5, threshold=3)
    ok(F.softplus, SPECIAL, beta=-2)
    ok(F.hardshrink, SPECIAL, lambd=0)
    ok(F.hardshrink, SPECIAL, lambd=-1)
    ok(F.softshrink, SPECIAL, lambd=0)
    ok(F.elu, SPECIAL, alpha=0)
    ok(F.elu, SPECIAL, alpha=-1.5)
    ok(F.celu, SPECIAL, alpha=-1.5)
    ok(F.leaky_relu, SPECIAL, negative_slope=-0.5)
    ok(F.leaky_relu, SPECIAL, negative_slope=0)
    ok(F.leaky_relu, SPECIAL, negative_slope=2)
    ok(F.hardtanh, SPECIAL, min_val=-inf, max_val=0)
    ok(F.hardtanh, SPECIAL, min_val=0, max_val=0)
    ok(F.threshold, SPECIAL, 0, 7)
    ok(F.threshold, SPECIAL, -inf, 0.5)
    ok(F.threshold, SPECIAL, nan, 0.5)
    ok(F.prelu, SPECIAL, torch.tensor(0.25))
    ok(F.prelu, SPECIAL, torch.tensor([-0.25]))
    ok(F.prelu, r(0, 3), r(3))
    ok(F.prelu, r(2, 3, 2, 2, 2), r(3))
    ok(F.prelu, torch.tensor(-2.0), torch.tensor([0.25]))
    ok(F.glu, torch.tensor([[1.0, inf, nan, -2.0], [-inf, 3.0, inf, -inf]]))
    ok(F.glu, r(0, 4))
    ok(F.glu, r(2, 4, 3), dim=-2)
    for function in (F.softmax, F.log_softmax, F.softmin):
        ok(function, torch.tensor([[inf, 1.0, 2.0], [-inf, -inf, -inf], [-inf, 0.0, 1.0], [nan, 0.0, 1.0], [inf, inf, 0.0], [-inf, inf, 0.0]]), dim=1)
        ok(function, torch.tensor([[1e4, 9.99e3, -1e4], [3e38, -3e38, 0.0], [-3e38, -3e38, -3e38]]), dim=-1)
        ok(function, torch.tensor(3.0), dim=0)
        ok(function, torch.tensor(inf), dim=-1)
        ok(function, r(2, 0, 3), dim=1)
        ok(function, r(2, 3, 2, 2, 3), dim=1)
        ok(function, torch.tensor([[1, 2], [3, 5]]), dim=0, dtype=torch.float32)
        ok(function, r(4))
        ok(function, r(2, 3, 4))
        bad(function, torch.tensor([[1, 2]]), dim=0)
        bad(function, r(2), dim=1)
    whole = torch.tensor([-3, 0, 4, 7])
    for function in (F.relu, F.relu6, F.threshold, F.hardtanh):
        ok(function, whole, *((1, 2) if function is F.threshold else ()))
    for function in (F.sigmoid, F.tanh):
        ok(function, whole)
    for function in (F.gelu, F.silu, F.elu, F.softplus, F.hardswish, F.hardsigmoid, F.logsigmoid, F.mish, F.leaky_relu):
        bad(function, whole)
    bad(F.relu, torch.tensor([True]))
    bad(F.hardtanh, r(2), min_val=2, max_val=1)
    bad(F.gelu, r(2), approximate="fast")
    bad(F.glu, r(3))
    bad(F.glu, torch.tensor(1.0))
    bad(F.celu, r(2), alpha=0)
    bad(F.softshrink, r(2), lambd=-0.1)
    bad(F.prelu, r(2, 3), r(2))
    bad(F.prelu, torch.tensor(1.0), r(2))
    bad(F.prelu, r(3), r(3))


def convolutions():
    ok(F.conv1d, r(0, 2, 5), r(3, 2, 3))
    ok(F.conv1d, r(2, 5), r(3, 2, 3), r(3))
    ok(F.conv2d, r(1, 1, 4, 4), r(1, 1, 4, 4))
    ok(F.conv2d, r(1, 2, 5, 7), r(2, 2, 2, 3), stride=(7, 9), padding=(3, 2))
    ok(F.conv2d, r(1, 2, 20, 20), r(2, 2, 3, 2), dilation=(9, 19))
    ok(F.conv2d, r(1, 4, 9, 9), r(8, 1, 3, 3), groups=4, dilation=2, stride=3, padding=2)
    ok(F.conv2d, r(2, 6, 5, 4), r(4, 3, 3, 3), groups=2, padding="same", dilation=(2, 1))
    ok(F.conv2d, r(1, 2, 6, 6), r(2, 2, 4, 2), padding="same")
    ok(F.conv2d, torch.tensor([[[[nan, 1.0, 2.0], [3.0, inf, 5.0], [6.0, 7.0, 8.0]]]]), torch.ones(1, 1, 2, 2), padding=1)
    ok(F.conv1d, r(1, 4, 9), r(4, 1, 2), groups=4, padding="same")
    ok(F.conv3d, r(1, 2, 4, 5, 6), r(4, 1, 2, 3, 1), r(4), groups=2, stride=(1, 2, 3), padding=(1, 0, 2), dilation=(2, 1, 4))
    ok(F.conv3d, r(0, 2, 4, 4, 4), r(3, 2, 2, 2, 2))
    ok(F.conv3d, r(1, 1, 3, 4, 5), r(2, 1, 2, 2, 2), padding="same")
    ok(F.conv_transpose1d, r(0, 2, 5), r(2, 3, 3))
    ok(F.conv_transpose1d, r(2, 5), r(2, 3, 3), stride=4, padding=2, output_padding=3, dilation=2)
    ok(F.conv_transpose2d, r(1, 4, 3, 2), r(4, 1, 3, 2), groups=4, stride=(2, 5), padding=(1, 0), output_padding=(1, 4))
    ok(F.conv_transpose2d, r(1, 4, 3, 3), r(4, 3, 3, 3), r(6), groups=2, padding=2)
    ok(F.conv_transpose2d, r(1, 2, 1, 1), r(2, 2, 3, 3), dilation=(3, 2), padding=(3, 2))
    ok(F.conv_transpose3d, r(1, 2, 2, 3, 2), r(2, 1, 2, 2, 3), groups=2, stride=(2, 1, 3), dilation=(1, 2, 1), padding=(0, 1, 1))
    ok(F.conv_transpose3d, r(2, 2, 3, 2), r(2, 2, 2, 2, 2))
    x, w = r(1, 4, 5, 5), r(4, 4, 3, 3)
    bad(F.conv2d, x, r(4, 3, 3, 3))
    bad(F.conv2d, x, w, r(3))
    bad(F.conv2d, x, w, r(4, 1))
    bad(F.conv2d, x, w, groups=3)
    bad(F.conv2d, x, w, groups=0)
    bad(F.conv2d, x, w, stride=0)
    bad(F.conv2d, x, w, stride=(1, 2, 3))
    bad(F.conv2d, x, w, padding=-1)
    bad(F.conv2d, x, w, dilation=0)
    bad(F.conv2d, x, w, dilation=3)
    bad(F.conv2d, x, w, padding="full")
    bad(F.conv2d, x, w, padding="same", stride=2)
    bad(F.conv2d, x.int(), w)
    bad(F.conv2d, r(5, 5), w)
    bad(F.conv2d, r(1, 1, 4, 5, 5), w)
    bad(F.conv2d, x, r(4, 4, 3))
    bad(F.conv2d, r(1, 4, 0, 5), w)
    bad(F.conv1d, r(1, 2, 3), r(1, 2, 5))
    bad(F.conv_transpose2d, x, r(3, 4, 3, 3))
    bad(F.conv_transpose2d, x, w, output_padding=1)
    bad(F.conv_transpose2d, x, w, padding=-1)
    bad(F.conv_transpose2d, x, w, groups=3)
    bad(F.conv_transpose2d, r(1, 4, 1, 1), w, padding=2)
    for shape in ((0, 4, 3, 3), (4, 4, 0, 3)):
        bad(F.conv2d, x, torch.ones(shape))
        bad(F.conv_transpose2d, x, torch.ones(4, *shape[1:]) if shape[0] else torch.ones(shape))
    bad(F.conv2d, x, w, stride=1.5)
    bad(F.conv2d, x, w, padding=(1, 0.5))
    for mode in ("reflect", "replicate"):
        ok(F.pad, torch.ones(0, 1, 3), (1, 1), mode=mode)
        for shape in ((1, 0, 3), (0, 3), (1, 1, 0)):
            bad(F.pad, torch.ones(shape), (1, 1), mode=mode)
    ok(F.pad, torch.ones(1, 0, 3), (1, 1), mode="circular")


def windows():
    x1, x2, x3 = r(2, 3, 11), r(1, 2, 7, 8), r(1, 2, 5, 6, 4)
    nans = torch.tensor([[[1.0, nan, 3.0, 3.0, 2.0, nan, nan, -inf, -inf, -inf, inf, 4.0]]])
    for options in ({"stride": 2}, {"padding": 1}, {"padding": 1, "ceil_mode": True, "stride": 3}, {"dilation": 2}, {"dilation": 3, "stride": 2, "padding": 1}):
        for indices in (False, True):
            ok(F.max_pool1d, nans, 3, **options, return_indices=indices)
            ok(F.max_pool2d, torch.round(x2), 3, **options, return_indices=indices)
    ok(F.max_pool2d, x2, (2, 3), stride=(5, 1), padding=(1, 0), ceil_mode=True, return_indices=True)
    ok(F.max_pool2d, x2, 1, stride=3, ceil_mode=True)
    ok(F.max_pool2d, r(0, 2, 5, 5), 2)
    ok(F.max_pool2d, torch.full((1, 1, 4, 4), -inf), 2, return_indices=True)
    ok(F.max_pool2d, r(2, 6, 6), 3, stride=1, padding=1)
    ok(F.max_pool3d, x3, (2, 3, 1), stride=(1, 2, 2), padding=(1, 1, 0), dilation=(2, 1, 3), return_indices=True)
    ok(F.max_pool3d, x3, 2, stride=3, ceil_mode=True, return_indices=True)
    for options in ({"stride": 2, "padding": 1, "ceil_mode": True}, {"stride": 3, "ceil_mode": True}, {"stride": 5, "padding": 1, "ceil_mode": True, "count_include_pad": False}):
        ok(F.avg_pool1d, x1, 3, **options)
        ok(F.avg_pool2d, x2, 3, **options)
        ok(F.avg_pool3d, x3, 3, **options)
        ok(F.avg_pool2d, x2, 3, **options, divisor_override=2)
        ok(F.avg_pool3d, x3, 3, **options, divisor_override=-3)
    ok(F.avg_pool1d, nans, 3, stride=1)
    ok(F.avg_pool2d, r(0, 2, 5, 5), 2)
    ok(F.avg_pool2d, r(3, 5, 5), (5, 1))
    ok(F.lp_pool1d, x1, 2, 3, stride=2)
    ok(F.lp_pool1d, x1.abs(), 1.5, 3, ceil_mode=True)
    ok(F.lp_pool1d, x1, 3, 2)
    ok(F.lp_pool1d, x1, inf, 3)
    ok(F.lp_pool2d, x2, 1, 2)
    ok(F.lp_pool2d, x2, 2, (2, 3), stride=(1, 2))
    ok(F.lp_pool2d, x2, 2, 3, ceil_mode=True)
    ok(F.lp_pool3d, x3, 2, 2)
    for size in (1, 4, 7, 13):
        ok(F.adaptive_avg_pool1d, x1, size)
        ok(F.adaptive_max_pool1d, nans, size, return_indices=True)
    ok(F.adaptive_avg_pool2d, x2, (3, 17))
    ok(F.adaptive_avg_pool2d, x2, (None, 3))
    ok(F.adaptive_avg_pool2d, x2, (7, 8))
    ok(F.adaptive_avg_pool2d, r(0, 2, 5, 5), 3)
    ok(F.adaptive_avg_pool2d, x2, (0, 3))
    ok(F.adaptive_max_pool2d, x2, (11, 3), return_indices=True)
    ok(F.adaptive_avg_pool3d, x3, (7, 1, 3))
    ok(F.adaptive_max_pool3d, x3, (2, 9, 3), return_indices=True)
    ok(F.fractional_max_pool2d, x2, 2, output_size=(3, 6))
    ok(F.fractional_max_pool3d, x3, (1, 2, 2), output_ratio=(0.7, 0.5, 0.5), return_indices=True)
    pooled, indices = F.max_pool2d(x2, 2, stride=2, return_indices=True)
    ok(F.max_unpool2d, pooled, indices, 2, output_size=(7, 9))
    ok(F.max_unpool2d, pooled[0], indices[0], 2)
    pooled, indices = F.max_pool1d(x1, 3, stride=2, padding=1, return_indices=True)
    ok(F.max_unpool1d, pooled, indices, 3, stride=2, padding=1)
    ok(F.max_unpool1d, pooled, indices, 3, stride=2, padding=1, output_size=(2, 3, 12))
    bad(F.max_unpool1d, pooled, indices, 3, stride=2, padding=1, output_size=(2, 3, 20))
    bad(F.max_unpool1d, pooled, indices + 10, 3, stride=2, padding=1)
    bad(F.max_unpool1d, pooled, indices[:1], 3, stride=2, padding=1)
    for function, x in ((F.max_pool2d, x2), (F.avg_pool2d, x2)):
        bad(function, x, 3, padding=2)
        bad(function, x, 0)
        bad(function, x, 3, stride=0)
        bad(function, x, 20)
        bad(function, x, (1, 2, 3))
        bad(function, r(7, 8), 2)
        bad(function, r(1, 1, 1, 7, 8), 2)
        bad(function, r(1, 2, 0, 8), 2)
        bad(function, x, 3, padding=-1)
    bad(F.max_pool2d, x2, 3, dilation=0)
    bad(F.avg_pool2d, x2, 2, divisor_override=0)
    bad(F.lp_pool1d, x1, 2, 20)
    bad(F.adaptive_avg_pool2d, x2, (1, 2, 3))
    bad(F.adaptive_avg_pool2d, x2, -1)
    bad(F.adaptive_avg_pool2d, r(1, 2, 0, 4), 2)
    bad(F.fractional_max_pool2d, x2, 2)
    bad(F.fractional_max_pool2d, x2, 9, output_size=2)


def norms():
    far = 1e4 + torch.randn(2, 4, 6)
    flat = 3.0 + 1e-4 * torch.randn(2, 4, 6)
    for x in (far, flat, torch.full((2, 4, 6), 2.5), r(2, 4, 6) * 1e-6):
        exact(F.layer_norm, x, (6,))
        exact(F.layer_norm, x, (4, 6), r(4, 6), r(4, 6))
        exact(F.group_norm, x, 2, r(4), r(4))
        exact(F.instance_norm, x)
        exact(F.batch_norm, x, None, None, r(4), r(4), training=True)
        exact(F.batch_norm, x, x.mean((0, 2)), x.var((0, 2)))
        exact(F.rms_norm, x, (6,), r(6), 1e-6)
    ok(F.layer_norm, torch.tensor([[nan, 1.0, 2.0], [inf, 1.0, 2.0], [1.0, 1.0, 1.0], [1e4, -1e4, 0.0]]), (3,))
    ok(F.layer_norm, r(0, 3), (3,))
    ok(F.layer_norm, r(3), (3,), eps=1.0)
    ok(F.layer_norm, r(2, 1), (1,), r(1), r(1))
    ok(F.rms_norm, torch.tensor([[0.0, 0.0], [1e-20, 0.0], [3e18, 4e18], [nan, 1.0]]), (2,))
    ok(F.rms_norm, r(2, 3), (2, 3), eps=0.5)
    ok(F.group_norm, r(3, 4), 2)
    ok(F.group_norm, r(2, 6, 2, 3, 2), 3, r(6), None, 1e-2)
    ok(F.group_norm, r(0, 4, 3), 2)
    ok(F.instance_norm, r(2, 3, 4), r(3), torch.rand(3), use_input_stats=False)
    ok(F.instance_norm, r(2, 3, 4, 3, 2), weight=r(3), bias=r(3))
    ok(F.batch_norm, r(4, 3), r(3), torch.rand(3), eps=0.1)
    ok(F.batch_norm, r(0, 3, 2), r(3), torch.rand(3))
    ok(F.batch_norm, r(2, 3, 2, 2, 2, 2), r(3), torch.rand(3))
    ok(F.local_response_norm, r(2, 5, 3), 3)
    ok(F.local_response_norm, r(1, 5, 3, 2), 4, alpha=2.0, beta=0.5, k=0.0)
    ok(F.local_response_norm, r(2, 4, 2, 2, 2), 9)
    ok(F.normalize, torch.tensor([[3.0, 4.0], [0.0, 0.0], [nan, 1.0], [inf, 1.0], [1e-20, 0.0]]))
    ok(F.normalize, r(2, 3, 4), p=1.0, dim=-1)
    ok(F.normalize, r(2, 3, 4), p=inf, dim=0)
    ok(F.normalize, r(2, 3, 4), p=0.5, dim=2)
    ok(F.normalize, r(2, 3, 4), p=3, dim=(1, 2))
    ok(F.normalize, r(2, 3), p=0.0)
    for p in (0.0, -1.0, -inf):
        ok(F.normalize, torch.tensor([[-0.5, -0.25, inf], [-inf, 2.0, 4.0]]), p=p)
    ok(F.normalize, r(3), dim=0)
    x = r(2, 4, 6)
    bad(F.layer_norm, x, (4,))
    bad(F.layer_norm, x, (6,), r(5))
    bad(F.layer_norm, x, ())
    bad(F.rms_norm, x, (6,), r(4))
    bad(F.group_norm, x, 3)
    bad(F.group_norm, x, 2, r(3))
    bad(F.group_norm, x, 0)
    bad(F.instance_norm, r(2, 3, 1))
    bad(F.instance_norm, r(2, 3))
    bad(F.instance_norm, x, use_input_stats=False)
    bad(F.batch_norm, x, r(3), r(4))
    bad(F.batch_norm, x, r(4), r(4), r(5))
    bad(F.batch_norm, x, None, None)
    bad(F.batch_norm, r(1, 3), r(3), r(3), training=True)
    bad(F.local_response_norm, r(3, 4), 2)
    bad(F.layer_norm, torch.ones(2, 3).int(), (3,))


def images():
    x1, x2, x3 = r(1, 2, 5), r(1, 2, 5, 7), r(1, 1, 3, 4, 5)
    for factor in (0.3, 0.7, 1.0, 1.37, 2.0, 2.5, 3.1):
        for recompute in (None, True):
            ok(F.interpolate, x1, scale_factor=factor, mode="linear", recompute_scale_factor=recompute)
            ok(F.interpolate, x1, scale_factor=factor, mode="nearest", recompute_scale_factor=recompute)
            ok(F.interpolate, x1, scale_factor=factor, mode="nearest-exact", recompute_scale_factor=recompute)
            ok(F.interpolate, x2, scale_factor=(factor, 1.3), mode="bilinear", recompute_scale_factor=recompute)
            ok(F.interpolate, x2, scale_factor=factor, mode="bicubic", recompute_scale_factor=recompute)
    ok(F.interpolate, x1, scale_factor=1.37, mode="linear", align_corners=True, recompute_scale_factor=True)
    ok(F.interpolate, x2, size=(1, 13), mode="bilinear", align_corners=True)
    ok(F.interpolate, x2, size=(1, 1), mode="bicubic", align_corners=True)
    ok(F.interpolate, r(1, 1, 1, 1), size=(3, 2), mode="bilinear")
    ok(F.interpolate, r(1, 1, 1, 1), size=(3, 2), mode="bicubic")
    for mode in ("bilinear", "bicubic"):
        for size in ((2, 3), (9, 4), (5, 20), (1, 1)):
            ok(F.interpolate, x2, size=size, mode=mode, antialias=True)
        ok(F.interpolate, x2, scale_factor=0.6, mode=mode, antialias=True)
        ok(F.interpolate, x2, size=(3, 3), mode=mode, antialias=True, align_corners=True)
    ok(F.interpolate, x3, size=(2, 7, 3), mode="trilinear")
    ok(F.interpolate, x3, scale_factor=(0.5, 1.6, 2), mode="nearest")
    ok(F.interpolate, x3, size=4, mode="nearest-exact")
    ok(F.interpolate, x3, scale_factor=1.5, mode="area")
    ok(F.interpolate, x2, size=(3, 11), mode="area")
    ok(F.interpolate, r(0, 2, 3, 3), scale_factor=2, mode="bilinear")
    ok(F.interpolate, torch.tensor([[[1.0, nan, inf, 2.0]]]), size=7, mode="linear")
    ok(F.upsample_nearest, x2, scale_factor=2)
    ok(F.upsample_bilinear, x2, size=(4, 4))
    ok(F.upsample, x1, scale_factor=2, mode="linear")
    bad(F.interpolate, x2)
    bad(F.interpolate, x2, size=3, scale_factor=2)
    bad(F.interpolate, x2, size=(3, 3, 3))
    bad(F.interpolate, x2, scale_factor=(1, 2, 3))
    bad(F.interpolate, x2, size=3, mode="linear")
    bad(F.interpolate, x2, size=3, mode="cubic")
    bad(F.interpolate, x2, size=3, align_corners=True)
    bad(F.interpolate, x2, size=0)
    bad(F.interpolate, x2, scale_factor=0.1)
    bad(F.interpolate, x1, size=3, mode="bilinear")
    bad(F.interpolate, x3, size=3, mode="bicubic")
    bad(F.interpolate, x2, size=3, mode="nearest", antialias=True)
    bad(F.interpolate, r(3, 3), size=3)
    bad(F.interpolate, x2, size=3, recompute_scale_factor=True)
    grid = 1.6 * torch.rand(1, 3, 4, 2) - 0.8
    wild = torch.tensor([[[[nan, 0.0], [0.3, nan], [inf, 0.1], [-inf, -inf]], [[1.0, 1.0], [-1.0, 1.0], [1.5, -2.7], [30.0, -41.0]]]])
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for corners in (False, True):
                ok(F.grid_sample, x2, 2 * grid, mode=mode, padding_mode=padding, align_corners=corners)
                if mode != "bicubic" and padding != "reflection":
                    ok(F.grid_sample, x2, wild, mode=mode, padding_mode=padding, align_corners=corners)
                if mode != "bicubic":
                    ok(F.grid_sample, x3, 2.4 * torch.rand(1, 2, 2, 3, 3) - 1.2, mode=mode, padding_mode=padding, align_corners=corners)
    ok(F.grid_sample, r(1, 1, 1, 1), grid, padding_mode="reflection", align_corners=True)
    ok(F.grid_sample, r(2, 3, 4, 4), r(2, 0, 3, 2), align_corners=False)
    ok(F.affine_grid, r(2, 2, 3), (2, 1, 3, 4), align_corners=False)
    ok(F.affine_grid, r(1, 3, 4), (1, 1, 2, 3, 2), align_corners=True)
    ok(F.affine_grid, r(1, 2, 3), (1, 1, 1, 5), align_corners=True)
    bad(F.affine_grid, r(1, 2, 2), (1, 1, 2, 2))
    bad(F.affine_grid, r(1, 2, 3), (1, 1, 2))
    bad(F.grid_sample, x2, r(1, 3, 4, 3))
    bad(F.grid_sample, x2, r(2, 3, 4, 2))
    bad(F.grid_sample, x2, grid, mode="cubic")
    bad(F.grid_sample, x2, grid, padding_mode="mirror")
    ok(F.grid_sample, x3, r(1, 2, 2, 2, 3), mode="bicubic")
    bad(F.grid_sample, r(1, 1, 0, 3), grid)


def shapes():
    x1, x2 = torch.arange(8.0).reshape(1, 2, 4), torch.arange(24.0).reshape(1, 2, 3, 4)
    for mode in ("circular", "reflect", "replicate"):
        for pad in ((-2, 1), (1, -2), (-1, 3), (3, -1), (2, 2), (-1, -1)):
            ok(F.pad, x1, pad, mode=mode)
        ok(F.pad, x2, (1, 2, -1, 1), mode=mode)
        ok(F.pad, r(1, 1, 2, 3, 4), (1, 1, 2, 0, 1, 0), mode=mode)
        ok(F.pad, r(0, 2, 4), (1, 1), mode=mode)
        ok(F.pad, r(2, 4), (1, 2), mode=mode)
        ok(F.pad, torch.arange(6).reshape(2, 3), (1, 1), mode=mode)
        bad(F.pad, x1, (1, 1, 1, 1, 1, 1), mode=mode)
        bad(F.pad, r(4), (1, 1), mode=mode)
    for value in (nan, inf, -inf, 2.5):
        ok(F.pad, x1, (1, 0, -1, 2), value=value)
    ok(F.pad, torch.arange(3), (1, 0), value=2.7)
    ok(F.pad, torch.tensor([True, False]), (1, 2), value=1)
    ok(F.pad, torch.tensor(3.0), ())
    ok(F.pad, r(2, 0), (1, 2))
    ok(F.pad, r(2, 1, 2, 1, 2), (0, 1, 0, 0, 1, 0, 0, 0, 1, 1))
    ok(F.pad, r(2, 1, 2, 1, 2, 1), (1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1))
    bad(F.pad, x1, (4, 0), mode="reflect")
    bad(F.pad, x1, (5, 0), mode="circular")
    bad(F.pad, x1, (-5, 0))
    bad(F.pad, x1, (1,))
    bad(F.pad, x1, (1,) * 8)
    bad(F.pad, x1, (1, 1), mode="mirror")
    bad(F.pad, x1, (1, 1), mode="reflect", value=1.0)
    ok(F.unfold, r(2, 3, 5, 6), (2, 3), dilation=(2, 1), padding=(1, 2), stride=(2, 3))
    ok(F.unfold, r(3, 4, 4), 4)
    ok(F.unfold, r(0, 3, 4, 4), 2)
    ok(F.fold, r(2, 12, 12), (4, 5), (2, 2))
    ok(F.fold, r(6, 16), (5, 6), (2, 3))
    ok(F.fold, r(1, 6, 24), (5, 6), (2, 3), dilation=(1, 2), padding=1, stride=(1, 1))
    bad(F.fold, r(1, 5, 12), (4, 5), 2)
    bad(F.fold, r(1, 12, 11), (4, 5), 2)
    bad(F.unfold, r(1, 1, 3, 3), 4)
    bad(F.unfold, r(1, 1, 3, 3), 2, stride=0)
    bad(F.unfold, r(3, 3), 2)
    ok(F.pixel_shuffle, r(2, 1, 8, 2, 3), 2)
    ok(F.pixel_shuffle, r(4, 0, 2), 2)
    ok(F.channel_shuffle, r(1, 6, 2), 3)
    ok(F.channel_shuffle, r(0, 6, 2, 2), 2)
    bad(F.pixel_shuffle, r(1, 5, 2, 2), 2)
    bad(F.pixel_shuffle, r(4, 2), 2)
    bad(F.pixel_shuffle, r(1, 4, 2, 2), 0)
    bad(F.pixel_unshuffle, r(1, 1, 3, 4), 2)
    bad(F.channel_shuffle, r(1, 5, 2, 2), 2)
    bad(F.channel_shuffle, r(5, 2), 1)
    bad(F.channel_shuffle, r(1, 4, 2, 2), 0)
    ok(F.linear, r(3), r(2, 3), r(2))
    ok(F.linear, r(3), r(3))
    ok(F.linear, r(2, 4, 3), r(3), torch.tensor(0.5))
    ok(F.linear, r(2, 0), r(3, 0), r(3))
    ok(F.linear, r(0, 4), r(3, 4), r(3))
    ok(F.linear, r(2, 4), r(0, 4))
    ok(F.linear, torch.tensor([[nan, 1.0], [inf, 1.0]]), r(2, 2))
    ok(F.bilinear, r(3), r(4), r(2, 3, 4), r(2))
    ok(F.bilinear, r(0, 3), r(0, 4), r(2, 3, 4))
    ok(F.bilinear, r(2, 5, 3), r(2, 5, 4), r(1, 3, 4))
    bad(F.linear, r(2, 3), r(2, 4))
    bad(F.linear, r(2, 3), r(2, 3), r(3))
    bad(F.linear, r(2, 3).int(), r(2, 3))
    bad(F.linear, r(2, 3), r(2, 2, 3))
    bad(F.bilinear, r(2, 3), r(3, 4), r(2, 3, 4))
    bad(F.bilinear, r(2, 3), r(2, 5), r(2, 3, 4))


def tables():
    weight, ids = r(6, 3), torch.tensor([[1, 5, 0], [2, 2, 3]])
    ok(F.embedding, ids, weight)
    ok(F.embedding, torch.tensor(4), weight)
    ok(F.embedding, ids[:0], weight)
    ok(F.embedding, ids, weight, padding_idx=-1)
    for norm in (1.0, 2.0, inf):
        ok(F.embedding, ids, weight.clone(), max_norm=0.7, norm_type=norm)
    for mode in ("sum", "mean", "max"):
        ok(F.embedding_bag, ids, weight, mode=mode)
        ok(F.embedding_bag, ids.flatten(), weight, torch.tensor([0, 0, 2, 6]), mode=mode)
        ok(F.embedding_bag, ids.flatten(), weight, torch.tensor([0, 3, 6]), mode=mode, include_last_offset=True)
        ok(F.embedding_bag, ids, weight, mode=mode, padding_idx=2)
        ok(F.embedding_bag, torch.full((2, 2), 2), weight, mode=mode, padding_idx=2)
        ok(F.embedding_bag, ids.flatten()[:0], weight, torch.tensor([0, 0]), mode=mode)
        ok(F.embedding_bag, ids, weight.clone(), mode=mode, max_norm=0.7)
    ok(F.embedding_bag, ids, weight, mode="sum", per_sample_weights=r(2, 3))
    bad(F.embedding, torch.tensor([6]), weight)
    bad(F.embedding, torch.tensor([-1]), weight)
    bad(F.embedding, torch.tensor([1.0]), weight)
    bad(F.embedding, ids, weight, padding_idx=6)
    bad(F.embedding, ids, r(6))
    bad(F.embedding_bag, ids.flatten(), weight)
    bad(F.embedding_bag, ids, weight, torch.tensor([0]))
    bad(F.embedding_bag, ids, weight, mode="median")
    bad(F.embedding_bag, ids, weight, mode="mean", per_sample_weights=r(2, 3))
    bad(F.embedding_bag, ids, weight, mode="sum", per_sample_weights=r(2, 2))
    bad(F.embedding_bag, ids.flatten(), weight, torch.tensor([1, 2]))
    bad(F.embedding_bag, ids.flatten(), weight, torch.tensor([0, 9]))
    bad(F.embedding_bag, ids.flatten(), weight, torch.tensor([], dtype=int), include_last_offset=True)
    ok(F.embedding_bag, ids.flatten(), weight, torch.tensor([], dtype=int))
    bad(F.embedding_bag, ids + 5, weight)
    ok(F.one_hot, torch.tensor([2, 0]))
    ok(F.one_hot, torch.tensor(1), 4)
    bad(F.one_hot, torch.tensor([4]), 3)
    bad(F.one_hot, torch.tensor([-1]))
    for function in (F.dropout, F.alpha_dropout, F.feature_alpha_dropout, F.dropout1d, F.dropout2d, F.dropout3d):
        x = r(2, 3, 4)
        ok(function, x, training=False)
        ok(function, x, p=0.3, training=True)
        ok(function, x, p=1.0, training=True)
        ok(function, x, p=0.0, training=True)
        bad(function, x, p=1.5)
    bad(F.dropout1d, r(3))
    bad(F.feature_alpha_dropout, r(3), training=True)


def dtypes():
    """Integers and booleans: some functions have a kernel for them, most do not."""
    w, image = torch.tensor([-7, 3, 9, -2, 5]), torch.arange(-8, 8).reshape(1, 1, 4, 4) * 7 % 10 - 5
    for whole in (w, w > 0):
        bad(F.prelu, whole, torch.tensor([0.5]))
        bad(F.prelu, r(2), whole[:1])
        bad(F.dropout, whole, training=True)
        bad(F.alpha_dropout, whole, training=True)
        ok(F.dropout, whole, training=False)
        bad(F.max_pool1d, whole[None], 2)
    bad(F.prelu, w, w[:1])
    ok(F.max_pool1d, w[None], 2, return_indices=True)
    ok(F.max_pool2d, image, 2, return_indices=True)
    ok(F.max_pool2d, image, 3, 1, 1, 2)
    ok(F.max_pool3d, image[None], (1, 2, 2), return_indices=True)
    for function in (F.adaptive_max_pool2d, F.adaptive_avg_pool2d):
        bad(function, image, 2)
    bad(F.max_pool2d, image > 0, 2)
    bad(F.fractional_max_pool2d, image, 2, output_size=2)
    bad(F.max_unpool2d, image[..., :2, :2], torch.tensor([[[[0, 2], [8, 10]]]]), 2)
    bad(F.unfold, image, 2)
    ok(F.unfold, image > 0, 2, dilation=2, stride=2)
    bad(F.fold, image.reshape(1, 4, 4), 3, 2)
    bad(F.scaled_dot_product_attention, *[image[0]] * 3)
    bad(F.interpolate, image, scale_factor=2, mode="bilinear")
    bad(F.interpolate, image > 0, scale_factor=2)
    ok(F.linear, image, w[:4])
    ok(F.linear, image, image[0, 0], w[:4])
    ok(F.bilinear, image[0, 0], image[0, 0], image[0])
    bad(F.linear, image > 0, image[0, 0] > 0)
    bad(F.bilinear, image[0, 0] > 0, image[0, 0] > 0, image[0] > 0)
    ok(F.pad, w > 0, (1, 2), value=2)
    ok(F.pad, w, (1, -2), value=2.7)
    bad(F.embedding, w.abs() % 4, image[0, 0], max_norm=1.0)
    ok(F.embedding, w.abs() % 4, image[0, 0])
    bad(F.embedding_bag, w.abs() % 4, image[0, 0], w[:1] * 0)
    bad(F.embedding_bag, w[None].abs() % 4, r(4, 2), mode="sum", per_sample_weights=w[None])
    x, ones = r(2, 4, 3), torch.ones(4).int()
    for name in ("weight", "bias"):
        bad(F.group_norm, x, 2, **{name: ones})
        bad(F.layer_norm, x, [3], **{name: ones[:3]})
        bad(F.instance_norm, x, **{name: ones})
        bad(F.batch_norm, x, r(4), r(4).abs(), **{name: ones})
    bad(F.batch_norm, x, ones, ones)
    target = torch.tensor([1, 0])
    for function in (F.nll_loss, F.cross_entropy, F.multi_margin_loss):
        bad(function, r(2, 4), target, weight=ones)
    bad(F.kl_div, r(2), target)
    bad(F.huber_loss, target, r(2))
    bad(F.l1_loss, r(2), target > 0)
    bad(F.pairwise_distance, target > 0, r(2))
    yes = image > 0
    for mode in ("reflect", "replicate"):
        bad(F.pad, yes, (1, 1, 0, 0), mode=mode)
        ok(F.pad, image, (1, 1, 0, 0), mode=mode)
    ok(F.pad, yes, (1, 1, 0, 0), mode="circular")
    bad(F.softmin, yes, dim=1, dtype=torch.float32)
    ok(F.softmax, yes, dim=1, dtype=torch.float32)
    bad(F.gumbel_softmax, image)
    bad(F.affine_grid, image[:, 0, :2, :3], [1, 1, 2, 2])
    kernel = torch.ones(1, 1, 2, 2)
    bad(F.conv2d, image.float(), kernel, ones[:1])
    ok(F.conv_transpose2d, image.float(), kernel, ones[:1])
    bad(F.multilabel_soft_margin_loss, image[0].float(), image[0] > 0)
    ok(F.multilabel_soft_margin_loss, image[0].float(), (image[0] > 0).int())
    near, far = image[0, 0], image[0, 0].flip(0)
    ok(F.margin_ranking_loss, near, far, near, margin=0.5)
    bad(F.margin_ranking_loss, near, far, near > 0)
    ok(F.cosine_embedding_loss, image[0, 0], image[0, 0].flip(0), torch.tensor([1, -1, 1, -1]))
    ok(F.cosine_embedding_loss, yes[0, 0], yes[0, 0].flip(0), torch.tensor([1, -1, 1, -1]))
    ok(F.poisson_nll_loss, near, far, full=True)
    ok(F.poisson_nll_loss, near > 0, far.float())
    ok(F.poisson_nll_loss, near.float(), far > 0)
    bad(F.poisson_nll_loss, near > 0, far > 0)
    bad(F.poisson_nll_loss, near > 0, far, log_input=False)
    bad(F.poisson_nll_loss, near, far > 0, full=True)
    ok(F.gaussian_nll_loss, near, far, torch.ones(4))
    bad(F.gaussian_nll_loss, near.float(), far, torch.ones(4).int())
    bad(F.gaussian_nll_loss, near.float(), far > 0, torch.ones(4))
    bad(F.embedding_bag, near.abs() % 4, torch.ones(4, 2), torch.tensor([0, 3, 1]))


def not_numbers():
    """NaN and infinities where a sum of products would spread them."""
    table = torch.tensor([[3.0, nan], [4.0, 3.0], [0.1, 0.2], [inf, 1.0]])
    for norm in (1.0, 2.0):
        ok(F.embedding, torch.tensor([0, 1, 2, 3]), table.clone(), max_norm=1.0, norm_type=norm)
    scores = torch.tensor([[nan, 0.1, 0.5], [0.2, nan, inf]])
    for p in (1, 2):
        ok(F.multi_margin_loss, scores, torch.tensor([1, 0]), p=p, reduction="none")
    ok(F.multilabel_margin_loss, scores, torch.tensor([[1, -1, 0], [0, 2, -1]]), reduction="none")
    for hole in ((-1, 1), (1, 2)):
        odd = torch.arange(24.0).reshape(1, 2, 4, 3).sin()
        odd[..., hole[0], hole[1]] = nan
        plain = torch.arange(24.0).reshape(1, 2, 4, 3).cos()
        ok(F.scaled_dot_product_attention, plain, odd, plain, is_causal=True)
        ok(F.scaled_dot_product_attention, plain, plain, odd, is_causal=True)
    row = torch.arange(1.0, 25.0).reshape(1, 2, 12)
    row[0, 0, 3], row[0, 1, 10] = inf, nan
    weight = torch.arange(1.0, 13.0).reshape(2, 2, 3)
    ok(F.conv1d, row, weight, stride=3, dilation=2)
    ok(F.conv1d, row, weight[:, :1], stride=2, dilation=3, groups=2)
    image, square = row.reshape(1, 1, 4, 6), weight.reshape(1, 1, 3, 4)
    ok(F.conv2d, image, square[..., :2], stride=(1, 2), dilation=(1, 3), padding=1)
    cube, kernel = row.reshape(1, 1, 2, 3, 4), weight[0].reshape(1, 1, 1, 2, 3)[..., :2]
    ok(F.conv3d, cube, kernel, dilation=(2, 2, 3), padding=1)
    ok(F.conv3d, cube, kernel, stride=(1, 2, 2), dilation=(1, 2, 2))
    ok(F.conv_transpose3d, cube, kernel, stride=(1, 2, 1), dilation=(1, 1, 2))


def integers():
    """int64, for which tfjs' int32 stands: convolutions and two losses have kernels for it."""
    whole = lambda *shape: torch.randint(-9, 9, shape)
    ok(F.conv1d, whole(2, 3, 7), whole(4, 3, 3), whole(4), stride=2, padding=1, dilation=2)
    ok(F.conv1d, whole(3, 7), whole(4, 3, 3), padding="same")
    ok(F.conv2d, whole(1, 4, 6, 5), whole(6, 2, 3, 3), whole(6), groups=2, padding=1)
    ok(F.conv2d, whole(1, 4, 6, 5), whole(8, 1, 3, 3), groups=4, stride=2, dilation=2)
    ok(F.conv3d, whole(1, 2, 4, 5, 4), whole(3, 2, 2, 3, 2), whole(3), dilation=(1, 2, 1), stride=(2, 1, 1))
    ok(F.conv_transpose1d, whole(2, 3, 5), whole(3, 2, 4), whole(2), stride=3, padding=1, output_padding=2)
    ok(F.conv_transpose2d, whole(1, 4, 3, 3), whole(4, 2, 3, 2), groups=2, dilation=(2, 1))
    ok(F.conv_transpose3d, whole(1, 2, 2, 2, 3), whole(2, 1, 2, 2, 2), stride=2)
    ok(F.conv_tbc, whole(5, 2, 3), whole(2, 3, 4), whole(4), pad=1)
    x, y, sign = whole(3, 4), whole(3, 4), torch.tensor([1, -1, 1, 0])
    for reduction in ("none", "sum"):
        ok(F.l1_loss, x, y, reduction=reduction)
        ok(F.l1_loss, x, y, reduction=reduction, weight=whole(3, 4))
        ok(F.l1_loss, x, y.float(), reduction=reduction)
        for margin in (1.0, 2.5, -3.7):
            ok(F.hinge_embedding_loss, x, sign, margin=margin, reduction=reduction)
        ok(F.hinge_embedding_loss, x, sign.float(), reduction=reduction)
        ok(F.hinge_embedding_loss, x, sign > 0, reduction=reduction)
    ok(F.l1_loss, x, y, weight=y.abs() + 1)
    bad(F.l1_loss, x, y)
    bad(F.hinge_embedding_loss, x, sign)
    bad(F.hinge_embedding_loss, x > 0, sign)
    bad(F.l1_loss, x > 0, y)
    for loss in (F.mse_loss, F.smooth_l1_loss, F.huber_loss, F.soft_margin_loss, F.kl_div):
        bad(loss, x, y)
    bad(F.conv1d, whole(1, 2, 5), r(3, 2, 3))
    bad(F.conv1d, whole(1, 2, 5), whole(3, 2, 3), r(3))
    bad(F.conv1d, whole(1, 2, 5) > 0, whole(3, 2, 3) > 0)
    bad(F.conv_transpose1d, whole(1, 2, 5), whole(2, 3, 3), r(3))


def lists_of_one():
    """A list of one number stands for all dimensions in some functions, and is refused in others."""
    x, w = {n: r(1, 2, *[7] * n) for n in (1, 2, 3)}, {n: r(2, 2, *[3] * n) for n in (1, 2, 3)}
    for n in (1, 2, 3):
        function = lambda name: getattr(F, f"{name}{n}d")
        for name in ("stride", "padding", "dilation"):
            ok(function("conv"), x[n], w[n], **{name: [2]})
            ok(function("conv_transpose"), x[n], w[n], **{name: [2]})
        ok(function("conv_transpose"), x[n], w[n], stride=2, output_padding=[1])
        ok(function("max_pool"), x[n], [3], stride=[2], padding=[1], dilation=[1])
        ok(function("avg_pool"), x[n], [3], stride=[2], padding=[1])
        ok(function("lp_pool"), x[n], 2.0, 3, stride=[2])
        pooled, indices = function("max_pool")(x[n], 3, return_indices=True)
        if n == 1:
            ok(function("max_unpool"), pooled, indices, [3], stride=[3], padding=[0])
            ok(function("adaptive_avg_pool"), x[n], [3])
            ok(F.interpolate, x[n], size=[3])
            continue
        bad(function("lp_pool"), x[n], 2.0, [3])
        bad(function("adaptive_avg_pool"), x[n], [3])
        bad(function("adaptive_max_pool"), x[n], [3])
        bad(function("fractional_max_pool"), x[n], [3], output_size=3)
        bad(function("fractional_max_pool"), x[n], 3, output_size=[3])
        bad(function("max_unpool"), pooled, indices, [3])
        bad(function("max_unpool"), pooled, indices, 3, stride=[3])
        bad(F.interpolate, x[n], size=[3])
    bad(F.unfold, x[2], [3])
    bad(F.unfold, x[2], 3, stride=[1])
    bad(F.fold, F.unfold(x[2], 3), [7], 3)


def infinite_weights():
    """A transposed convolution multiplies nothing by the zeros that one may put between pixels."""
    for odd in (inf, nan):
        row, weight = torch.arange(1.0, 13.0).reshape(1, 2, 6), torch.arange(1.0, 13.0).reshape(2, 2, 3)
        weight[0, 0, 0] = weight[1, 1, 2] = odd
        ok(F.conv_transpose1d, row, weight)
        ok(F.conv_transpose1d, row, weight, torch.ones(2), stride=3, padding=1, output_padding=2)
        ok(F.conv_transpose1d, row, weight, groups=2, stride=2, dilation=3, output_padding=2)
        image, square = row.reshape(1, 2, 2, 3), weight.reshape(2, 1, 2, 3)
        ok(F.conv_transpose2d, image, square, stride=(1, 2), padding=1)
        ok(F.conv_transpose2d, image, square, groups=2, stride=2, dilation=(2, 1))
        ok(F.conv_transpose3d, row.reshape(1, 1, 2, 3, 2), weight.reshape(1, 1, 2, 3, 2), stride=(2, 1, 3), padding=(0, 1, 0))


def empty_planes():
    """Of what is not the first dimension nothing may be missing."""
    for n in (2, 3):
        pool, unpool = getattr(F, f"fractional_max_pool{n}d"), getattr(F, f"max_unpool{n}d")
        for shape in ((0, 2, *[5] * n), (0, *[5] * n)):
            ok(pool, torch.zeros(shape), 2, output_size=3, return_indices=True)
            ok(unpool, torch.zeros(shape), torch.zeros(shape).long(), 2)
        for shape in ((2, 0, *[5] * n), (2, 1, *[5] * (n - 1), 0)):
            bad(pool, torch.zeros(shape), 2, output_size=3)
            bad(unpool, torch.zeros(shape), torch.zeros(shape).long(), 2)
    ok(F.max_unpool1d, torch.zeros(0, 5), torch.zeros(0, 5).long(), 2)
    bad(F.max_unpool1d, torch.zeros(2, 0), torch.zeros(2, 0).long(), 2)
    bad(F.max_unpool1d, torch.zeros(1, 1, 1), torch.zeros(1, 1, 1).long(), 1, stride=3, padding=1)


for part in (activations, convolutions, windows, norms, images, shapes, tables, dtypes, not_numbers, integers, lists_of_one, infinite_weights, empty_planes):
    part()
recorder.save(arguments.out, recorder.cases)
