"""The same trainings in PyTorch, for recurrent_speed.py; prints sequences a second.  Needs torch, not dlspec.

python tests/benchmarks/recurrent_torch_child.py CELL BATCH LENGTH FEATURES UNITS LAYERS STEPS MASKED
"""

import sys
import time

import torch
from torch import nn


def main(cell, batch, length, features, units, layers, steps, masked):
    torch.manual_seed(0)
    kind = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
    recurrent, logits = kind(features, units, num_layers=layers, batch_first=True), nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*recurrent.parameters(), *logits.parameters()])
    loss_of = nn.BCEWithLogitsLoss()
    x, y = torch.randn(batch, length, features), torch.randint(0, 2, (batch, 1)).float()
    lengths = torch.randint(length // 2, length + 1, (batch,))
    if masked:
        x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    for step in range(steps + 3):
        if step == 3:  # the first ones make ready
            began = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        states = recurrent(x)[1]
        last = states[0][-1] if cell == "lstm" else states[-1]
        loss_of(logits(last), y).backward()
        optimizer.step()
    print(steps * batch / (time.perf_counter() - began))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
