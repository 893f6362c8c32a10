"""The same trainings in PyTorch with a DataLoader, for training_speed.py; needs torch and NumPy, not dlspec.

    python tests/benchmarks/torch_child.py CASE HOME WORKERS [channels_last]

Reads what training_child.py has made: HOME/torch_CASE.npz with x and y as the network takes them.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

EPOCHS = {"lenet5": 6, "mlp": 6, "resnet": 3}
BATCH = {"lenet5": 32, "mlp": 128, "resnet": 128}


class Unit(nn.Module):
    """Two 3×3 convolutions with an identity shortcut, strided and padded with zeros where the shape changes."""

    def __init__(self, given, maps, stride):
        super().__init__()
        self.one = nn.Conv2d(given, maps, 3, stride, 1, bias=False)
        self.two = nn.Conv2d(maps, maps, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(maps), nn.BatchNorm2d(maps)])
        self.stride, self.more = stride, maps - given

    def forward(self, x):
        y = self.norms[1](self.two(torch.relu(self.norms[0](self.one(x)))))
        if self.stride > 1 or self.more:
            x = x[:, :, :: self.stride, :: self.stride]
            x = nn.functional.pad(x, (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return torch.relu(x + y)


def network(case):
    if case == "lenet5":
        return nn.Sequential(
            nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        )  # fmt: skip
    if case == "mlp":
        return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    given = 16
    for stage in range(3):
        for unit in range(3):
            layers.append(Unit(given, 16 * 2**stage, 2 if stage and not unit else 1))
            given = 16 * 2**stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def main(case, home, workers, channels_last):
    torch.manual_seed(0)
    with np.load(home / f"torch_{case}.npz") as held:
        x, y = torch.from_numpy(held["x"]), torch.from_numpy(held["y"])
    if x.ndim == 4:
        x = x.permute(0, 3, 1, 2).contiguous()
    y = y.float() if case == "mlp" else y.long()
    model = network(case)
    if channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    loss_of = nn.BCEWithLogitsLoss() if case == "mlp" else nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters())
    batches = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), BATCH[case], shuffle=True, num_workers=workers
    )
    ends = []
    for _ in range(EPOCHS[case]):
        for inputs, truth in batches:
            optimizer.zero_grad(set_to_none=True)
            loss_of(model(inputs), truth).backward()
            optimizer.step()
        ends.append(time.perf_counter())
    said = f"torch {torch.__version__}, {torch.get_num_threads()} threads"
    print(json.dumps({"seconds": list(np.diff(ends)), "examples": len(y), "version": said}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), "channels_last" in sys.argv)
