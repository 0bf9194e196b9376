"""torchinfo's tables, which nn.summary prints to the letter.

    python spec/oracle/summary.py    # writes spec/goldens/summary.json
"""

import json
import os

import torch
import torchvision
from torch import nn
from torchinfo import summary


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.scale = nn.Parameter(torch.ones(4))
        self.act = nn.Sigmoid()

    def forward(self, x):
        return self.act(self.fc(self.fc(x))) * self.scale


class Interleaved(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 4)])
        self.scale = nn.Parameter(torch.ones(1))
        self.act = nn.ReLU()

    def forward(self, x):
        return self.layers[1](self.act(self.layers[0](x))) * self.scale


class TwoLists(nn.Module):
    def __init__(self):
        super().__init__()
        self.linears = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
        self.norms = nn.ModuleDict({"a": nn.LayerNorm(3), "b": nn.LayerNorm(3)})

    def forward(self, x):
        for linear, norm in zip(self.linears, self.norms.values()):
            x = norm(linear(x))
        return x


class Weighted(nn.ModuleList):
    def __init__(self, modules):
        super().__init__(modules)
        self.scale = nn.Parameter(torch.ones(7))


class Reentered(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = Weighted([nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 2)])
        self.act = nn.ReLU()
        self.unused = nn.Linear(5, 5)

    def forward(self, x):
        x = self.layers[1](self.act(self.layers[0](x)))
        return self.layers[0](self.act(x))


class Block(nn.Module):
    def __init__(self, channels, out):
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, padding=1)
        self.norm = nn.BatchNorm2d(out)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


def up(channels, out):
    return nn.ModuleDict(
        {"conv": nn.ConvTranspose2d(channels, channels, 2, 2), "block": Block(2 * channels, out)}
    )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([Block(1, 4), Block(4, 8)])
        self.pool = nn.MaxPool2d(2)
        self.middle = Block(8, 8)
        self.up = nn.ModuleList([up(8, 4), up(4, 4)])
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            skips.append(block(x))
            x = self.pool(skips[-1])
        x = self.middle(x)
        for up in self.up:
            x = up["block"](torch.cat([up["conv"](x), skips.pop()], 1))
        return self.head(x)


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Sequential(nn.Conv2d(16, 8, 3, groups=2), nn.ReLU()),
        nn.AdaptiveAvgPool2d((2, 2)),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(32, 10),
    )


ALL = ("input_size", "output_size", "num_params", "mult_adds")
CASES = {
    "mlp": (lambda: nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 3)), (10, 2), {}),
    "cnn": (cnn, (2, 1, 28, 28), {}),
    "cnn with all columns": (cnn, (2, 1, 28, 28), {"col_names": ALL}),
    "cnn to depth 1": (cnn, (2, 1, 28, 28), {"depth": 1}),
    "shared": (Shared, (3, 4), {"col_names": ALL}),
    "interleaved": (Interleaved, (5, 2), {"col_names": ALL}),
    "two interleaved lists": (TwoLists, (2, 3), {"col_names": ALL}),
    "list with a parameter": (Reentered, (4, 2), {"col_names": ALL}),
    "list with a parameter to depth 2": (Reentered, (4, 2), {"col_names": ALL, "depth": 2}),
    "u-net": (UNet, (1, 1, 8, 8), {"col_names": ALL, "depth": 4}),
    "u-net to depth 2": (UNet, (1, 1, 8, 8), {"col_names": ALL, "depth": 2}),
    "u-net to depth 1": (UNet, (1, 1, 8, 8), {"col_names": ALL, "depth": 1}),
    "resnet18": (torchvision.models.resnet18, (1, 3, 64, 64), {}),
}
out = os.path.join(os.path.dirname(__file__), "..", "goldens", "summary.json")
tables = {
    name: str(summary(make(), input_size=size, verbose=0, **options))
    for name, (make, size, options) in CASES.items()
}
json.dump(tables, open(out, "w"), indent=1)
