"""Losses and distances: PyTorch's own module and operator suites, and their edges.

    python spec/oracle/losses.py    # writes spec/goldens/losses.* and functional-losses.*
    python spec/oracle/losses.py --all --seed 1 --out /tmp/

--all keeps every sample of the suites, else every few.
"""

import argparse
import os
import warnings

import torch
import torch.nn.functional as F
from torch import nn
from torch.testing._internal import common_utils
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_modules import module_db

from golden import Goldens

warnings.filterwarnings("ignore")
here = os.path.dirname(__file__)
parser = argparse.ArgumentParser()
parser.add_argument("--out", default=os.path.join(here, "..", "goldens", ""))
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--all", action="store_true")
arguments = parser.parse_args()
# PyTorch's operator suite seeds itself, again and again; 0 leaves it its own seed.
common_utils.SEED = arguments.seed or common_utils.SEED
modules, functions = Goldens(), Goldens()


def r(*shape):
    return torch.randn(*shape)


def classes(n, *shape):
    return torch.randint(0, n, shape)


def module_suite():
    for info in module_db:
        name = info.module_cls.__name__
        if "Loss" not in name:
            continue
        torch.manual_seed(arguments.seed)
        samples = info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=False, training=False)
        step = 1 if arguments.all or len(samples) < 9 else 40 if len(samples) > 200 else 7 if name == "CTCLoss" else 3
        for i, sample in list(enumerate(samples))[::step]:
            build, call = sample.constructor_input, sample.forward_input
            modules.module(f"{name}/{i}", info.module_cls, build.args, build.kwargs, call.args, call.kwargs, arguments.seed + i)


def module_edges():
    def add(cls, inputs, *args, **kwargs):
        key = f"{cls.__name__}/x{sum(case['module'] == cls.__name__ for case in modules.cases)}"
        modules.module(key, cls, args, kwargs, inputs)

    for margin in (0.5, 2.0):
        for swap in (False, True):
            add(nn.TripletMarginLoss, (r(3, 4), r(3, 4), r(3, 4)), margin=margin, swap=swap, p=1.0)
            add(nn.TripletMarginWithDistanceLoss, (r(3, 4), r(3, 4), r(3, 4)), margin=margin, swap=swap)
    add(nn.TripletMarginWithDistanceLoss, (r(3, 4), r(3, 4), r(3, 4)), distance_function=F.pairwise_distance, reduction="none")
    add(nn.TripletMarginWithDistanceLoss, (r(3, 4), r(3, 4), r(3, 4)), distance_function=nn.CosineSimilarity())
    for weight in (None, torch.rand(5)):
        for size_average, reduce in ((False, None), (True, False), (None, True)):
            add(nn.CrossEntropyLoss, (r(4, 5), classes(5, 4)), weight=weight, size_average=size_average, reduce=reduce)
        for smoothing in (0.0, 0.3):
            for reduction in ("none", "mean", "sum"):
                options = {"weight": weight, "reduction": reduction, "label_smoothing": smoothing}
                add(nn.CrossEntropyLoss, (r(4, 5, 2, 3), classes(5, 4, 2, 3)), ignore_index=2, **options)
                add(nn.CrossEntropyLoss, (r(4, 5, 2), r(4, 5, 2).softmax(1)), **options)
                add(nn.CrossEntropyLoss, (r(5), classes(5)), **options)
                add(nn.LinearCrossEntropyLoss, (r(4, 3), classes(5, 4)), 3, 5, bias=True, **options)
        add(nn.LinearCrossEntropyLoss, (r(4, 3), classes(5, 4, 2)), 3, 5, out_features=(2,), bias=True, weight=weight, ignore_index=1)
        add(nn.NLLLoss2d, (r(2, 5, 2, 3).log_softmax(1), classes(5, 2, 2, 3)), weight=weight)
    for options in ({}, {"div_value": 2.0, "head_bias": True}):
        add(nn.AdaptiveLogSoftmaxWithLoss, (r(7, 8), classes(20, 7)), 8, 20, [4, 10], **options)
        add(nn.AdaptiveLogSoftmaxWithLoss, (r(8), torch.tensor(12)), 8, 20, [4, 10], **options)
    add(nn.AdaptiveLogSoftmaxWithLoss, (r(3, 8), torch.tensor([0, 3, 1])), 8, 20, [4])
    add(nn.CosineSimilarity, (r(2, 3, 4), r(2, 1, 4)), dim=-1, eps=0.5)
    add(nn.CosineSimilarity, (r(2, 3, 4), r(2, 3, 4)), dim=0)
    for p in (0.0, 0.5, 1.0, 3.0, float("inf")):
        add(nn.PairwiseDistance, (r(3, 4), r(4)), p=p, keepdim=p == 3)
    add(nn.PairwiseDistance, (r(4), r(4)))


# Samples that are errors in JavaScript too: PyTorch's own, or complex and 64-bit numbers.
NAMES = (
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cosine_similarity", "cross_entropy",
    "ctc_loss", "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss",
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "one_hot", "pairwise_distance",
    "pdist", "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss",
    "linear_cross_entropy",
)


def function_suite():
    for name in NAMES:
        for info in [one for one in op_db if one.name == "nn.functional." + name]:
            torch.manual_seed(arguments.seed)
            dtype = torch.int64 if name == "one_hot" else torch.float32
            samples = [s for s in info.sample_inputs("cpu", dtype, requires_grad=False) if s.input.numel() < (50 if name == "one_hot" else 2000)]
            step = 1 if arguments.all else max(1, len(samples) // 12)
            for i, sample in list(enumerate(samples))[::step]:
                functions.function(f"{name}/{info.variant_test_name}{i}", name, [sample.input, *sample.args], sample.kwargs)


def function_edges():
    def add(name, *args, **kwargs):
        key = f"{name}/x{sum(case['function'] == name for case in functions.cases)}"
        functions.function(key, name, args, kwargs)

    inf, nan = float("inf"), float("nan")
    all_ignored = torch.full((3,), -100)
    for reduction in ("none", "mean", "sum"):
        add("nll_loss", r(3, 4), all_ignored, reduction=reduction)
        add("cross_entropy", r(3, 4), all_ignored, reduction=reduction, label_smoothing=0.1)
        add("mse_loss", torch.zeros(0), torch.zeros(0), reduction=reduction)
        add("nll_loss", r(0, 4), classes(4, 0), reduction=reduction)
        add("cross_entropy", r(0, 4, 2), r(0, 4, 2), reduction=reduction)
        add("multi_margin_loss", r(4), classes(4), p=2, reduction=reduction)
        add("multilabel_margin_loss", r(4), torch.tensor([0, 0, -1, 2]), reduction=reduction)
    add("nll_loss", torch.tensor([[-inf, 0.0], [-inf, -inf]]), torch.tensor([0, -100]), reduction="none")
    add("cross_entropy", torch.tensor([[1e4, -1e4], [inf, 0.0], [nan, 0.0]]), torch.tensor([1, 1, 0]), reduction="none")
    add("binary_cross_entropy", torch.tensor([0.0, 1.0, 0.0, 1.0, 1e-38]), torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0]), reduction="none")
    edge, target = torch.tensor([-1e4, 1e4, 0.0, -1e4, -100.0, 100.0]), torch.tensor([0.0, 0.0, 0.5, 1.0, 1.0, 0.0])
    add("binary_cross_entropy_with_logits", edge, target, reduction="none")
    add("binary_cross_entropy_with_logits", edge, target, pos_weight=torch.tensor(2.0), reduction="none")
    add("binary_cross_entropy_with_logits", r(2, 3, 4), torch.rand(2, 3, 4), pos_weight=torch.rand(3, 1), weight=torch.rand(4))
    add("kl_div", r(5), torch.tensor([0.0, -1.0, nan, 1.0, 1e-30]), reduction="none")
    add("kl_div", r(3, 4), r(3, 4), reduction="batchmean", log_target=True)
    add("kl_div", r(3, 4), torch.rand(4), reduction="batchmean")
    add("soft_margin_loss", torch.tensor([80.0, -80.0, 1e4, 0.0]), torch.tensor([1.0, 1.0, 1.0, -1.0]), reduction="none")
    add("hinge_embedding_loss", r(3), torch.tensor([1, -1, 0]), reduction="none")
    add("cosine_embedding_loss", torch.zeros(3, 4), r(3, 4), torch.tensor([1, -1, 0]), reduction="none")
    add("cosine_embedding_loss", r(4), r(4), torch.tensor(-1), margin=0.5)
    add("mse_loss", r(3, 4), r(4), reduction="none")
    add("mse_loss", r(3), classes(3, 3))
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        add(name, r(3, 4), r(3, 4), weight=torch.rand(3, 4))
    add("smooth_l1_loss", r(3, 1), r(3, 4), beta=0.0, reduction="none")
    add("smooth_l1_loss", torch.tensor([nan, inf, 1e-8]), torch.zeros(3), beta=1e-3, reduction="none")
    add("poisson_nll_loss", r(4), torch.tensor([0.0, 1.0, 2.0, 50.0]), full=True, reduction="none")
    add("gaussian_nll_loss", r(3, 4), r(3, 4), torch.rand(3), full=True)
    add("gaussian_nll_loss", r(3, 4), r(3, 4), 0.5)
    log_probs = r(10, 2, 5).log_softmax(2)
    table, joined = torch.tensor([[1, 2, 2], [4, 1, 1]]), torch.tensor([1, 2, 2, 4, 1])
    for lengths in ((10, 10), (2, 2), (10, 0)):
        for zero in (False, True):
            add("ctc_loss", log_probs, table, lengths, (3, 2), reduction="none", zero_infinity=zero)
    add("ctc_loss", log_probs, joined, torch.tensor([10, 9]), torch.tensor([3, 2]), blank=3)
    add("ctc_loss", log_probs, table, (10, 0), (0, 0), reduction="sum")
    add("ctc_loss", log_probs[:, 0], table[0], torch.tensor(10), torch.tensor(3), reduction="none")
    add("one_hot", torch.tensor(2), num_classes=4)
    add("one_hot", torch.tensor([[0, 0]]))
    add("pdist", r(1, 3))
    add("pdist", r(4, 3), p=inf)
    add("cosine_similarity", r(4), r(3, 4), dim=0)
    for pad in (0, 2):
        add("conv_tbc", r(7, 2, 3), r(3, 3, 4), r(4), pad=pad)
    add("native_channel_shuffle", r(1, 6, 2), 3)
    for d in (1, 2, 3):
        x = r(2, 3, *[6] * d)
        add(f"max_pool{d}d_with_indices", x, 2, padding=1)
        add(f"adaptive_max_pool{d}d_with_indices", x, 4)


torch.manual_seed(arguments.seed)
module_suite()
module_edges()
function_suite()
function_edges()
modules.write(arguments.out + "losses")
functions.write(arguments.out + "functional-losses")
