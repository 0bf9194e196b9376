"""torchinfo's tables, which nn.summary prints to the letter.

    python spec/oracle/summary.py    # writes spec/goldens/summary.json
"""

import json
import os

import torchvision
from torch import nn
from torchinfo import summary


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.scale = nn.Parameter(__import__("torch").ones(4))
        self.act = nn.Sigmoid()

    def forward(self, x):
        return self.act(self.fc(self.fc(x))) * self.scale


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
    "resnet18": (torchvision.models.resnet18, (1, 3, 64, 64), {}),
}
out = os.path.join(os.path.dirname(__file__), "..", "goldens", "summary.json")
tables = {
    name: str(summary(make(), input_size=size, verbose=0, **options))
    for name, (make, size, options) in CASES.items()
}
json.dump(tables, open(out, "w"), indent=1)
