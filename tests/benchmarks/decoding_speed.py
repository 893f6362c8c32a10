"""Sentences a second of beam search with keys and values kept, beside a graph that runs the decoder anew each step.

    python tests/benchmarks/decoding_speed.py [--batch 32] [--beam 4] [--layers 4] [--width 256] [--tokens 40]

Weights are random, so that no hypothesis ends by itself, and early stopping is off: all are `tokens` long.  Both search
with the same code and find the same; rounds alternate, and the fastest of each counts.
"""

import argparse
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in {"batch": 32, "beam": 4, "layers": 4, "width": 256, "tokens": 40, "vocabulary": 5000}.items():
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()

    import numpy as np

    from dlspec.runs.backend import load_keras

    keras = load_keras(seed=1)
    import tensorflow as tf

    from dlspec.decode.beam import Search, search
    from dlspec.models.translation.transformer import Transformer

    ops, beam, longest = keras.ops, asked.beam, asked.tokens
    sizes = {"layers": asked.layers, "width": asked.width, "heads": 4, "feed_forward": 4 * asked.width}
    model = Transformer(**sizes)
    spec = {"shape": [None], "dtype": "int32", "vocabulary": asked.vocabulary}
    network = model.build({"tokens": spec, "target": spec}, asked.vocabulary)
    random = np.random.default_rng(0)
    source = random.integers(4, asked.vocabulary, (asked.batch, longest)).astype("int32")
    limits = np.full(asked.batch, longest, "int32")
    how = Search(width=beam, early_stop=False)

    @tf.function
    def kept(tokens):
        course = model.course(network, {"tokens": tokens}, beam, longest)
        return search(course.step, course.cache, limits, longest, how, moved=course.moved)

    @tf.function
    def anew(tokens):
        several = ops.repeat(tokens, beam, axis=0)
        encoder = keras.Model(network.input["tokens"], network.get_layer(f"encoder_{asked.layers}").output)
        memory, allowed = encoder(several), ops.not_equal(several, 0)
        table, order = network.get_layer("embedding"), network.get_layer("target_positions")

        def step(last, time, said, ancestors):
            said = ops.where(ops.equal(ops.arange(longest), time), last[..., None], said)
            x = order(table(ops.reshape(said, (-1, longest))) * asked.width**0.5)
            for number in range(1, asked.layers + 1):
                x = network.get_layer(f"decoder_{number}")(x, memory, memory_allowed=allowed)
            logits = table(ops.take(x, time, axis=1), reverse=True)
            return ops.reshape(logits, (asked.batch, beam, -1)), said, None

        start = ops.zeros((asked.batch, beam, longest), "int32")
        return search(step, start, limits, longest, how)

    took, found = {"kept": [], "anew": []}, {}
    for number in range(asked.rounds + 1):
        for name, function in (("kept", kept), ("anew", anew)):
            began = time.perf_counter()
            found[name] = [one.numpy() for one in function(tf.constant(source))]
            if number:
                took[name].append(time.perf_counter() - began)
    same = (found["kept"][0] == found["anew"][0]).all(axis=(1, 2)).mean()
    apart = np.abs(found["kept"][1] - found["anew"][1]).max()
    speeds = {name: asked.batch / min(of) for name, of in took.items()}
    for name, speed in speeds.items():
        print(f"{name}: {speed:.1f} sentences a second")
    print(f"{speeds['kept'] / speeds['anew']:.1f} times; same output in {same:.0%}, scores at most {apart:.1e} apart")


if __name__ == "__main__":
    main()
