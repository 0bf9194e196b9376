"""torch.nn.functional as PyTorch's own operator and module suites call it: results and errors.

    python spec/oracle/functional_samples.py      # writes spec/goldens/functional-samples.*

To replay every case of another seed:

    python spec/oracle/functional_samples.py --all --seed 1 --out /tmp/samples
    FUNCTIONAL_SAMPLES=/tmp/samples npx mocha spec/functional/samples.spec.ts

--all keeps every case of up to --most numbers, else a few small ones of each function.
"""

import argparse
import os
import warnings

import recorder
import torch
from torch.testing._internal import common_nn, common_utils
from torch.testing._internal.common_methods_invocations import op_db

here = os.path.dirname(__file__)
parser = argparse.ArgumentParser()
parser.add_argument("--out", default=os.path.join(here, "..", "goldens", "functional-samples"))
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--all", action="store_true")
parser.add_argument("--each", type=int, default=120, help="at most so many samples of a function")
parser.add_argument("--most", type=int, default=20000, help="numbers in a case")
parser.add_argument("--only", default="", help="functions whose name contains this")
arguments = parser.parse_args()
# PyTorch's operator suite seeds itself, again and again; 0 leaves it its own seed.
common_utils.SEED = arguments.seed or common_utils.SEED
warnings.filterwarnings("ignore")
DISTANCES = {"kl_div", "cosine_similarity", "pairwise_distance", "pdist", "one_hot"}
DISTANCES |= {name for name in dir(torch.nn.functional) if name.endswith(("_loss", "cross_entropy", "with_logits"))}
ALIASES = {"softmax", "log_softmax", "sigmoid", "tanh", "nn.functional.softmin"}


def spread(samples, most):
    """Some of many, evenly, from a start that the seed says."""
    step = max(1, len(samples) // most)
    return samples[arguments.seed % step :: step]


def operators():
    for op in op_db:
        if not op.name.startswith("nn.functional.") and op.name not in ALIASES:
            continue
        function = getattr(torch.nn.functional, op.name.removeprefix("nn.functional."), None)
        if arguments.only not in op.name or not op.supports_dtype(torch.float32, "cpu") or not function:
            continue
        call = function if op.name in ALIASES else op.op
        torch.manual_seed(arguments.seed)
        for sample in spread(list(op.sample_inputs("cpu", torch.float32, requires_grad=False)), arguments.each):
            with recorder.recording():
                call(sample.input, *sample.args, **sample.kwargs)
        if op.error_inputs_func is None:
            continue
        for one in op.error_inputs("cpu"):
            sample = one.sample_input
            try:
                with recorder.recording("error ", error=True):
                    call(sample.input, *sample.args, **sample.kwargs)
            except Exception:
                pass


def modules():
    """The functions among the old module tests."""
    for test in [*common_nn.module_tests, *common_nn.get_new_module_tests(), *common_nn.criterion_tests]:
        if "constructor" not in test or arguments.only not in test.get("fullname", ""):
            continue
        torch.manual_seed(arguments.seed)
        case = common_nn.NewModuleTest(**test) if "target_size" not in test and "target_fn" not in test else None
        if case is None:
            continue
        with torch.no_grad():
            input = case._get_input()
            module = case.constructor(*case.constructor_args)
            try:
                with recorder.recording():
                    module(*(input if isinstance(input, tuple) else (input,)))
            except Exception as error:
                print("skipped", test["fullname"], error)


def few(cases):
    """Some of what is small, of each function, errors apart; losses.py has losses and distances."""
    kept, groups = [], {}
    for case in cases:
        groups.setdefault((case["function"], "error" in case), []).append(case)
    for (name, failed), group in groups.items():
        if name in DISTANCES and not failed:
            continue
        small = [case for case in group if recorder.size(case) <= 400]
        kept += spread(small, 6)[:8]
    return kept


operators()
modules()
small = [case for case in recorder.cases if recorder.size(case) <= arguments.most]
recorder.save(arguments.out, small if arguments.all else few(small))
