"""ONNX's test data that was converted from PyTorch's module tests, in the form of spec/goldens/modules.*.

    python spec/oracle/onnx_modules.py --out out/onnx      # needs pip install onnx
    GOLDENS="$PWD/out/onnx" npx mocha spec/layers/goldens.spec.ts

Weights, inputs and outputs are ONNX's, and the constructor's arguments are read off its graph. A case is
only written if today's PyTorch gives ONNX's output too.
"""

import argparse
import glob
import os
import warnings

import onnx
import onnx.backend.test
import recorder
import torch
from onnx import numpy_helper
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--out", default="spec/goldens/onnx-modules")
arguments = parser.parse_args()
warnings.filterwarnings("ignore")
DATA = os.path.join(os.path.dirname(onnx.backend.test.__file__), "data", "pytorch-converted")
RENAMED = {"log_softmax": "LogSoftmax", "softmax": "Softmax"}


def window(node, name):
    """Stride, padding and dilation of a convolution or pooling, where they are not the usual ones."""
    n = len(node["kernel_shape"])
    given = {"stride": node["strides"], "padding": node.get("pads", [0] * n)[:n], "dilation": node.get("dilations", [1] * n)}
    usual = {"stride": node["kernel_shape"] if "Pool" in name else [1] * n, "padding": [0] * n, "dilation": [1] * n}
    return {key: value for key, value in given.items() if value != usual[key]}


def arguments_of(name, nodes, weights):
    """What the module was made with: positional arguments, and options by PyTorch's name."""
    node = {key: value for one in nodes for key, value in one.items()}
    if name == "AvgPool1d":  # written with a dimension more
        node |= {key: node[key][:1] for key in ("kernel_shape", "strides")} | {"pads": node["pads"][::2]}
    if name.startswith("Conv"):
        w, groups, bias = weights[0].shape, node["group"], len(weights) == 2
        channels = [w[0], w[1] * groups] if "Transpose" in name else [w[1] * groups, w[0]]
        more = {"groups": groups} if groups > 1 else {}
        more |= {"output_padding": node["output_padding"]} if any(node.get("output_padding", [])) else {}
        return [*channels, node["kernel_shape"]], window(node, name) | more | ({} if bias else {"bias": False})
    if name.startswith(("MaxPool", "AvgPool")):
        return [node["kernel_shape"]], window(node, name)
    if name.startswith("BatchNorm"):
        return [weights[0].numel()], {"eps": float(f"{node['epsilon']:.6g}")}
    if name == "Linear":
        return [weights[0].shape[1], weights[0].shape[0]], {} if len(weights) == 2 else {"bias": False}
    if name == "Embedding":
        return list(weights[0].shape), {}
    if name.endswith(("Pad2d", "Pad1d")):
        n = len(node["pads"]) // 2
        # A whole number as an int: printed as it was given, and JSON cannot tell 2.0 from 2.
        sides = [node["pads"][axis + end] for axis in range(n - 1, 1, -1) for end in (0, n)]
        return [sides] + ([int(node["value"])] if name.startswith("Constant") else []), {}
    if name == "PReLU":
        return [], {"num_parameters": weights[0].numel()}
    options = {"ELU": ("alpha", "alpha"), "LeakyReLU": ("alpha", "negative_slope")}
    options |= {key: ("axis", "dim") for key in ("Softmax", "LogSoftmax", "Softmin", "GLU")}
    if name in options and options[name][0] in node:
        value = node[options[name][0]]
        return [], {options[name][1]: float(f"{value:.6g}") if isinstance(value, float) else value}
    return ([3], {}) if name == "PixelShuffle" else ([], {})


def values(folder, kind):
    for path in sorted(glob.glob(f"{folder}/test_data_set_0/{kind}_*.pb")):
        with open(path, "rb") as file:
            yield torch.tensor(numpy_helper.to_array(onnx.TensorProto.FromString(file.read())))


def case(test):
    folder = f"{DATA}/{test}"
    name = test.removeprefix("test_").rsplit("_dim", 1)[0]
    name = RENAMED.get(name.removesuffix("_lastdim").removesuffix("_functional"), name.split("_")[0])
    graph = onnx.load(f"{folder}/model.onnx").graph
    nodes = [{one.name: onnx.helper.get_attribute_value(one) for one in node.attribute} for node in graph.node]
    weights = [torch.tensor(numpy_helper.to_array(one)) for one in graph.initializer]
    inputs, (want,) = list(values(folder, "input")), values(folder, "output")
    args, kwargs = arguments_of(name, nodes, weights)
    args = [tuple(one) if isinstance(one, list) else one for one in args]
    kwargs = {key: tuple(one) if isinstance(one, list) else one for key, one in kwargs.items()}
    module = getattr(nn, name)(*args, **kwargs).eval()
    state = module.state_dict()
    for key, value in zip([key for key in state if key != "num_batches_tracked"], weights):
        state[key] = value.reshape(state[key].shape)
    module.load_state_dict(state)
    if name == "Embedding":
        inputs = [one.long() for one in inputs]
    with torch.no_grad():
        torch.testing.assert_close(module(*inputs), want, rtol=1e-4, atol=1e-5)
    stored = {key: recorder.store(f"{test}.{key}", value) for key, value in state.items()}
    made = {"id": test, "module": name, "function": name, "args": args, "options": kwargs, "repr": repr(module)}
    made |= {"training": False, "state": stored, "inputs": recorder.encode(test + ".in", inputs)}
    return made | {"forward_options": {}, "output": recorder.encode(test + ".out", want)}


cases = []
for test in sorted(os.listdir(DATA)):
    try:
        cases.append(case(test))
    except Exception as error:
        print("skipped", test, type(error).__name__, str(error)[:150].replace("\n", " "))
recorder.save(arguments.out, cases)
