"""A finished Transformer of translation beside nn.Transformer: PyTorch trains the same network on the same batches.

PyTorch gets the run's encoded pairs, batch after batch as dlspec planned them, its sizes, dropout, smoothing,
schedule, averaging of weights and threads, and starts as nn.Transformer is usually started (Glorot's uniform).  What it
has learned is then put into the run's network, which must give PyTorch's own logits, and both are scored alike, with
the run's beam.

    DLSPEC_DATA=… python tests/benchmarks/transformer_against_torch.py RUN --torch /path/to/a/python/with/torch
        [--epochs N] [--split test] [--keep weights.npz] [--speed ROUNDS [--pairs 4000]]

With --speed both train by turns on the first pairs of train, in processes of their own, three epochs each, of which the
first, which makes ready, does not count.

Figures: dlspec's BLEU within the interval of PyTorch's, or above; as many target tokens a second.  Needs torch, which
dlspec does not.
"""

import argparse
import csv
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def packed(name, rows):
    """Rows of different length as one array, and where each begins."""
    import numpy as np

    return {name: np.concatenate(rows), f"{name}_ends": np.cumsum([len(one) for one in rows])}


def handed_over(opened, file, epochs):
    """Write what PyTorch needs."""
    import numpy as np

    from dlspec.report.watch import Watch
    from dlspec.runs.material import pipeline_of

    recipe, state = opened.recipe, opened.state
    model, train = recipe.model, recipe.train
    if (model.name, model.norm, model.tied, train.optimizer.name, train.schedule.name) != (
        "transformer", "pre", "all", "adam", "noam"
    ):  # fmt: skip
        sys.exit("the run is not a transformer with norm: pre, tied: all, adam and noam")
    pipeline = pipeline_of(recipe, state, opened.splits()["train"], Watch())
    arrays = packed("source", pipeline.store.arrays["tokens"])
    arrays |= packed("target", pipeline.targets["target"])
    for epoch in range(epochs):
        arrays |= packed(f"plan_{epoch}", pipeline.plan(epoch))
    places = opened.network.get_layer("source_positions").rows(0, 512)
    settings = {
        **{name: getattr(model, name) for name in ("layers", "width", "heads", "feed_forward", "dropout")},
        **{name: getattr(model, name) for name in ("attention_dropout", "inner_dropout")},
        "vocabulary": recipe.task.outputs(state),
        "epochs": epochs,
        "smoothing": recipe.task.label_smoothing,
        "rate": train.optimizer.learning_rate,
        "beta_2": train.optimizer.beta_2,
        "epsilon": float(opened.network.get_layer("encoder_norm").epsilon),
        "warm": train.schedule.steps,
        "momentum": train.average.momentum,
        "seed": train.seed,
        "threads": train.threads or 2,
    }
    np.savez(file, places=np.array(places), **arrays)
    return settings


def taken_over(network, learned):
    """Put PyTorch's weights into the run's network."""
    import numpy as np

    def norm(layer, name):
        layer.gamma.assign(learned[f"{name}.weight"])
        layer.beta.assign(learned[f"{name}.bias"])

    def attention(layer, name):
        kernels = np.split(learned[f"{name}.in_proj_weight"], 3)
        biases = np.split(learned[f"{name}.in_proj_bias"], 3)
        kernels.append(learned[f"{name}.out_proj.weight"])
        biases.append(learned[f"{name}.out_proj.bias"])
        for side, kernel, bias in zip(("query", "key", "value", "output"), kernels, biases, strict=True):
            layer.kernels[side].assign(kernel.T)
            layer.biases[side].assign(bias)

    def dense(layer, name):
        layer.kernel.assign(learned[f"{name}.weight"].T)
        layer.bias.assign(learned[f"{name}.bias"])

    network.get_layer("embedding").embeddings.assign(learned["table.weight"])
    for side, normed in (("encoder", ("itself", "each")), ("decoder", ("itself", "memory", "each"))):
        norm(network.get_layer(f"{side}_norm"), f"inside.{side}.norm")
        number = 0
        while f"inside.{side}.layers.{number}.norm1.weight" in learned:
            at, block = f"inside.{side}.layers.{number}", network.get_layer(f"{side}_{number + 1}")
            for place, name in enumerate(normed, start=1):
                norm(block.norms[name], f"{at}.norm{place}")
            attention(block.itself, f"{at}.self_attn")
            if block.memory is not None:
                attention(block.memory, f"{at}.multihead_attn")
            dense(block.inner, f"{at}.linear1")
            dense(block.outer, f"{at}.linear2")
            number += 1


def train_with_torch(file, settings, out):
    """The child: train, print what it took, write the averaged weights and the logits of one batch."""
    import time

    import numpy as np
    import torch
    from torch import nn

    given = np.load(file)
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(settings["seed"])
    width, dropout = settings["width"], settings["dropout"]

    def rows(name):
        return np.split(given[name], given[f"{name}_ends"][:-1])

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(settings["vocabulary"], width)
            self.silence = nn.Dropout(dropout)
            self.inside = nn.Transformer(
                width, settings["heads"], settings["layers"], settings["layers"], settings["feed_forward"], dropout,
                layer_norm_eps=settings["epsilon"], batch_first=True, norm_first=True,
            )  # fmt: skip
            for one in self.parameters():
                if one.dim() > 1:
                    nn.init.xavier_uniform_(one)
            nn.init.normal_(self.table.weight, std=width**-0.5)
            for layer in [*self.inside.encoder.layers, *self.inside.decoder.layers]:
                layer.dropout.p = settings["inner_dropout"]
                layer.self_attn.dropout = settings["attention_dropout"]
                if hasattr(layer, "multihead_attn"):
                    layer.multihead_attn.dropout = settings["attention_dropout"]
            self.register_buffer("places", torch.from_numpy(given["places"])[None])

        def placed(self, tokens):
            return self.silence(self.table(tokens) * width**0.5 + self.places[:, : tokens.shape[1]])

        def forward(self, source, target):
            hidden = source == 0
            after = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
            found = self.inside(
                self.placed(source), self.placed(target), tgt_mask=after, src_key_padding_mask=hidden,
                memory_key_padding_mask=hidden, tgt_is_causal=True,
            )  # fmt: skip
            return found @ self.table.weight.T

    sources, targets = rows("source"), rows("target")

    def padded(some, begin=(), end=()):
        lines = [np.concatenate([begin, one, end]) for one in some]
        found = np.zeros((len(lines), max(map(len, lines))), np.int64)
        for place, one in enumerate(lines):
            found[place, : len(one)] = one
        return torch.from_numpy(found)

    def batch(chosen):
        said = [targets[i] for i in chosen]
        return padded([sources[i] for i in chosen]), padded(said, begin=[2]), padded(said, end=[3])

    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), settings["rate"], betas=(0.9, settings["beta_2"]), eps=1e-7)
    average = {name: one.detach().clone() for name, one in network.named_parameters()}
    step, tokens, took, epochs = 0, 0, 0.0, []
    for epoch in range(settings["epochs"]):
        network.train()
        began, total, of_epoch = time.perf_counter(), 0.0, 0
        for chosen in rows(f"plan_{epoch}"):
            source, said, truth = batch(chosen)
            rate = min((step + 1) / settings["warm"], (settings["warm"] / (step + 1)) ** 0.5)
            for group in optimizer.param_groups:
                group["lr"] = settings["rate"] * rate
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(
                network(source, said).flatten(0, 1), truth.flatten(), ignore_index=0,
                label_smoothing=settings["smoothing"],
            )  # fmt: skip
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                torch._foreach_lerp_(list(average.values()), list(network.parameters()), 1 - settings["momentum"])
            count = int((truth != 0).sum())
            total, of_epoch, step = total + loss.item() * count, of_epoch + count, step + 1
        epochs.append(of_epoch / (time.perf_counter() - began))
        took += of_epoch / epochs[-1]
        tokens += of_epoch
        print(f"epoch {epoch + 1}: loss {total / of_epoch:.4f}, {tokens / took:,.0f} target tokens/s", file=sys.stderr)
    with torch.no_grad():
        for name, one in network.named_parameters():
            one.copy_(average[name])
        network.eval()
        source, said, _ = batch(rows("plan_0")[0])
        logits = network(source, said)
    learned = {name: one.detach().numpy() for name, one in network.named_parameters()}
    np.savez(out, logits=logits.numpy(), logits_source=source.numpy(), logits_target=said.numpy(), **learned)
    print(json.dumps({"seconds": took, "tokens_a_second": tokens / took, "epochs": epochs}))


def of_torch(asked, opened, file, out, epochs):
    """What the child printed."""
    settings = handed_over(opened, file, epochs)
    command = [asked.torch, __file__, str(file), "--child", json.dumps(settings), str(out)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def speeds(asked, opened, figures, room, epochs=3):
    """Target tokens a second of both, by turns."""
    from dlspec.recipe.load import load
    from dlspec.runs.opened import OpenedRun

    given = opened.splits()
    changes = [f"train.epochs={epochs}"]
    for split, most in (("train", asked.pairs), ("dev", 100), ("test", 100)):
        pairs = list(given[split])[:most]
        for key, side in (("path", "x"), ("target", "y")):
            file = Path(room, f"{split}.{side}")
            file.write_text("".join(f"{getattr(one, side)}\n" for one in pairs), encoding="utf-8")
            changes.append(f"data.{key}.{split}={file}")
    load(asked.run / "recipe.yaml", changes)  # a fault is told before anything is trained
    command = [sys.executable, "-c", "from dlspec.cli import main; main()", "train", str(asked.run / "recipe.yaml")]
    command += [word for one in changes for word in ("--set", one)]
    rates = {"dlspec": [], "torch": []}
    for number in range(asked.speed):
        runs = Path(room, f"runs_{number}")
        done = subprocess.run([*command, "--out", str(runs), "--json"], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        run = OpenedRun(Path(json.loads(done.stdout)["run"]))
        with (run.folder / "history.csv").open(encoding="utf-8") as lines:
            seconds = [float(row["seconds"]) for row in csv.DictReader(lines)]
        found = of_torch(asked, run, Path(room, "given.npz"), Path(room, "quick.npz"), epochs)
        tokens = found["tokens_a_second"] * found["seconds"] / epochs
        rates["dlspec"].append(statistics.median(tokens / one for one in seconds[1:]))
        rates["torch"].append(statistics.median(found["epochs"][1:]))
        print(", ".join(f"{name} {rate[-1]:,.0f}" for name, rate in rates.items()), "target tokens a second")
    ratio = statistics.median(one / other for one, other in zip(rates["dlspec"], rates["torch"], strict=True))
    dlspec, torch = (statistics.median(one) for one in rates.values())
    said = f"{asked.pairs:,} pairs: dlspec {dlspec:,.0f} target tokens a second, PyTorch {torch:,.0f}; by rounds"
    figures.check(f"{said} {ratio:.2f} of PyTorch", ratio >= 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("--torch", help="a Python that has torch")
    parser.add_argument("--epochs", type=int, help="left out: the run's")
    parser.add_argument("--split", default="test")
    parser.add_argument(
        "--keep", type=Path, help="where PyTorch's weights are kept; if they are there, nothing is trained"
    )
    parser.add_argument("--speed", type=int, metavar="ROUNDS", help="compare how fast both train, and nothing else")
    parser.add_argument("--pairs", type=int, default=4000, help="with --speed: how many pairs of train")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        train_with_torch(asked.run, json.loads(asked.child[0]), asked.child[1])
        return
    import numpy as np
    from figures import Figures, require_data

    require_data()
    figures = Figures()
    from dlspec.runs.backend import load_keras

    load_keras(seed=1)
    from dlspec.runs.evaluate import evaluate
    from dlspec.runs.opened import OpenedRun

    opened = OpenedRun(asked.run)
    with tempfile.TemporaryDirectory() as room:
        if asked.speed:
            speeds(asked, opened, figures, room)
            figures.leave()
        out = asked.keep or Path(room, "weights.npz")
        if not out.is_file():
            file = Path(room, "given.npz")
            took = of_torch(asked, opened, file, out, asked.epochs or opened.recipe.train.epochs)
            print(f"PyTorch: {took['seconds']:,.0f} s, {took['tokens_a_second']:,.0f} target tokens a second")
        learned = dict(np.load(out))
        copy = Path(room, "run")
        shutil.copytree(asked.run, copy)
        taken_over(opened.network, learned)
        given = {"tokens": learned["logits_source"], "target": learned["logits_target"]}
        apart = np.abs(np.array(opened.network(given)) - learned["logits"])[learned["logits_target"] != 0].max()
        figures.check(f"the run's network with PyTorch's weights: logits at most {apart:.1e} apart", apart < 1e-3)
        opened.network.save(copy / "model.keras")
        bleu = {}
        for name, run in (("dlspec", asked.run), ("torch", copy)):
            found = evaluate(run, splits=[asked.split])["scores"][asked.split]["bleu"]
            bleu[name] = found
            print(f"{name}: {asked.split} BLEU {found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})")
    within = bleu["dlspec"]["value"] >= bleu["torch"]["low"]
    figures.check("dlspec's BLEU is within the interval of PyTorch's, or above", within)
    figures.leave()


if __name__ == "__main__":
    main()
