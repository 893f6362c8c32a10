"""How many target tokens a second the Transformer learns from, beside PyTorch's nn.Transformer of the same sizes.

    python tests/benchmarks/transformer_speed.py --torch /path/to/a/python/with/torch [--rounds 3]

Sizes are those of the small one for Multi30k: d 192, feed-forward 512, 4 heads, 3 + 3 layers, 5,000 joint tokens, tied,
dropout 0.15 (also of attention and of the inner layer, as nn.Transformer has it), smoothing 0.1, batches of 1,800
tokens.  Rounds alternate; each of the two has all threads for itself.
"""

import argparse
import json
import subprocess
import sys
import time

SIZES = {"vocabulary": 5000, "width": 192, "heads": 4, "layers": 3, "feed_forward": 512, "dropout": 0.15}
LENGTHS = (12, 15, 18)
TOKENS = 1800


def batches(random):
    """Sources, targets that go in and come out; each of a length of its own, as shapes vary in training."""
    found = []
    for length in LENGTHS:
        count = TOKENS // length
        source, target = (random.integers(4, SIZES["vocabulary"], (count, length)) for _ in range(2))
        source[: count // 3, -2:] = 0
        found.append((source.astype("int32"), target.astype("int32"), target.astype("int32")))
    return found


def of_dlspec(steps, inner):
    import numpy as np

    from dlspec.runs.backend import load_keras

    keras = load_keras(seed=1)
    import tensorflow as tf

    from dlspec.losses.next_token import NextToken
    from dlspec.models.translation.transformer import Transformer

    share = SIZES["dropout"] if inner else 0.0
    settings = {name: value for name, value in SIZES.items() if name != "vocabulary"}
    model = Transformer(**settings, attention_dropout=share, inner_dropout=share)
    spec = {"shape": [None], "dtype": "int32", "vocabulary": SIZES["vocabulary"]}
    network = model.build({"tokens": spec, "target": spec}, SIZES["vocabulary"])
    network.compile(keras.optimizers.Adam(1e-3, beta_2=0.98), NextToken(0.1), jit_compile=False)
    made = batches(np.random.default_rng(0))

    def stream():
        while True:
            for source, target, truth in made:
                yield {"tokens": source, "target": target}, truth

    ragged = tf.TensorSpec((None, None), "int32")
    data = tf.data.Dataset.from_generator(stream, output_signature=({"tokens": ragged, "target": ragged}, ragged))
    data = data.prefetch(4)
    network.fit(data, steps_per_epoch=6, epochs=1, verbose=0)
    began = time.perf_counter()
    network.fit(data, steps_per_epoch=steps, epochs=1, verbose=0)
    return time.perf_counter() - began


def of_torch(steps, inner):
    import numpy as np
    import torch
    from torch import nn

    torch.manual_seed(1)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(SIZES["vocabulary"], SIZES["width"])
            nn.init.normal_(self.table.weight, std=SIZES["width"] ** -0.5)
            self.silence = nn.Dropout(SIZES["dropout"])
            self.inside = nn.Transformer(
                SIZES["width"],
                SIZES["heads"],
                SIZES["layers"],
                SIZES["layers"],
                SIZES["feed_forward"],
                SIZES["dropout"],
                batch_first=True,
            )
            self.register_buffer("places", torch.randn(1, 64, SIZES["width"]))

        def placed(self, tokens):
            return self.silence(self.table(tokens) * SIZES["width"] ** 0.5 + self.places[:, : tokens.shape[1]])

        def forward(self, source, target):
            hidden = source == 0
            after = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
            found = self.inside(
                self.placed(source),
                self.placed(target),
                tgt_mask=after,
                src_key_padding_mask=hidden,
                memory_key_padding_mask=hidden,
                tgt_is_causal=True,
            )
            return found @ self.table.weight.T

    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, betas=(0.9, 0.98))
    made = [[torch.from_numpy(one).long() for one in batch] for batch in batches(np.random.default_rng(0))]

    def run(count):
        for number in range(count):
            source, target, truth = made[number % len(made)]
            optimizer.zero_grad()
            logits = network(source, target)
            loss = nn.functional.cross_entropy(
                logits.flatten(0, 1), truth.flatten(), ignore_index=0, label_smoothing=0.1
            )
            loss.backward()
            optimizer.step()

    run(6)
    began = time.perf_counter()
    run(steps)
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", help="a Python that has torch; without it, dlspec alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--residual-alone", action="store_true", help="dropout on what is added alone, as in the paper")
    parser.add_argument("--one", choices=("dlspec", "torch"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        took = {"dlspec": of_dlspec, "torch": of_torch}[asked.one](asked.steps, not asked.residual_alone)
        print(json.dumps(took))
        return
    pythons = {"dlspec": sys.executable, **({"torch": asked.torch} if asked.torch else {})}
    tokens = sum(TOKENS // length * length for length in LENGTHS) / len(LENGTHS) * asked.steps
    speeds = {name: [] for name in pythons}
    for number in range(asked.rounds):
        for name, python in pythons.items():
            command = [python, __file__, "--one", name, "--steps", str(asked.steps)]
            command += ["--residual-alone"] if asked.residual_alone else []
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            speeds[name].append(tokens / json.loads(done.stdout.splitlines()[-1]))
            print(f"round {number + 1}: {name} {speeds[name][-1]:,.0f} target tokens a second", flush=True)
    for name, found in speeds.items():
        print(f"{name}: {sorted(found)[len(found) // 2]:,.0f} (median of {len(found)})")
    if "torch" in speeds:
        ratios = sorted(a / b for a, b in zip(speeds["dlspec"], speeds["torch"], strict=True))
        print(f"dlspec / torch: {ratios[len(ratios) // 2]:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
