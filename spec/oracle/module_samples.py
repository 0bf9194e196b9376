"""What the module goldens leave out of PyTorch's own suites: the old module tests, losses, fractional
pooling. Writes the form of spec/goldens/modules.*, to be replayed by the same spec.

    python spec/oracle/module_samples.py --seed 1 --out /tmp/modules
    GOLDENS=/tmp/modules npx mocha spec/layers/goldens.spec.ts
"""

import argparse
import inspect
import warnings

import recorder
import torch
from torch import nn
from torch.testing._internal import common_nn
from torch.testing._internal.common_modules import module_db

parser = argparse.ArgumentParser()
parser.add_argument("--out", default="spec/goldens/module-samples")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--most", type=int, default=20000, help="numbers in a case")
parser.add_argument("--few", action="store_true", help="only every fifth case, and small ones")
arguments = parser.parse_args()
warnings.filterwarnings("ignore")
DROPPED = {"inplace", "device", "dtype", "size_average", "reduce"}
cases = []


def bind(function, args, kwargs, key):
    """Arguments without defaults are positional, as are hidden states; the others options."""
    signature = inspect.signature(function)
    bound = signature.bind(None, *args, **kwargs).arguments
    positional, options = [], {}
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.name not in bound or parameter.name in DROPPED:
            continue
        value = recorder.encode(f"{key}.{parameter.name}", bound[parameter.name])
        if parameter.kind == parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.default is parameter.empty or parameter.name == "hx":
            positional.append(value)
        elif value is not None:
            options[parameter.name] = value
    return positional, options


def add(name, module_class, args, kwargs, inputs, input_options):
    key = f"{name}/{sum(case['id'].rsplit('/', 1)[0] == name for case in cases)}"
    try:
        torch.manual_seed(arguments.seed + len(cases))
        module = module_class(*args, **kwargs).float().eval()
        positional, options = bind(module_class.__init__, args, kwargs, key + ".init")
        given, given_options = bind(module_class.forward, inputs, input_options, key + ".in")
        state = {name: recorder.store(f"{key}.state.{name}", value) for name, value in module.state_dict().items()}
        with torch.no_grad():
            output = module(*inputs, **input_options)
        case = {"id": key, "module": module_class.__name__, "args": positional, "options": options}
        case |= {"repr": repr(module), "training": False, "state": state, "inputs": given}
        cases.append({**case, "forward_options": given_options, "output": recorder.encode(key + ".out", output)})
    except recorder.Unsupported:
        pass
    except (TypeError, NotImplementedError, RuntimeError) as error:
        print("skipped", key, type(error).__name__, str(error)[:90])


def floats(value):
    if isinstance(value, torch.Tensor):
        return value.float() if value.dtype == torch.float64 else value
    return tuple(map(floats, value)) if isinstance(value, (tuple, list)) else value


def old_tests():
    for test in [*common_nn.module_tests, *common_nn.get_new_module_tests(), *common_nn.criterion_tests]:
        if "module_name" not in test and "fullname" not in test or "constructor" in test:
            continue
        is_criterion = "target_size" in test or "target_fn" in test
        make = common_nn.CriterionTest if is_criterion else common_nn.NewModuleTest
        name = test["module_name"]
        case = make(**{"constructor": getattr(nn, name), **test, "fullname": name})
        torch.manual_seed(arguments.seed)
        inputs = case._get_input()
        inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
        if is_criterion:
            target = case._get_target()
            inputs += tuple(target) if isinstance(target, (tuple, list)) else (target,)
        add(name, getattr(nn, name), floats(case.constructor_args), {}, floats(inputs), {})


def left_out():
    for info in module_db:
        if not any(part in info.module_cls.__name__ for part in ("Loss", "Fractional")):
            continue
        torch.manual_seed(arguments.seed)
        for one in info.module_inputs_func(info, "cpu", torch.float32, requires_grad=False, training=False):
            given, call = one.constructor_input, one.forward_input
            kwargs = {name: value for name, value in given.kwargs.items() if name not in ("device", "dtype")}
            add("db " + info.module_cls.__name__, info.module_cls, given.args, kwargs, call.args, call.kwargs)


old_tests()
left_out()
for case in cases:
    case["function"] = case["module"]
small = [case for case in cases if recorder.size(case) <= (800 if arguments.few else arguments.most)]
recorder.save(arguments.out, small[:: 5 if arguments.few else 1])
