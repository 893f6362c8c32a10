"""The simple recurrent network of Elman (1990)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from dlspec.layers.recurrence import affine, before, loop, normal, products, read
from dlspec.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable("dlspec")
class SimpleRNN(Recurrent):
    """h' = tanh(W x + U h + b): Elman (1990), "Finding structure in time".  State: h.

    Normalised: both weighted sums, each with a gain of its own (Ba, Kiros and Hinton 2016, as their LSTM has it).
    """

    gates = 1

    def projected(self, inputs: Any) -> Any:
        if not self.normalized:
            return affine(inputs, self.kernel, self.bias)
        return normal(ops.matmul(inputs, self.kernel), self.input_gain) + self.bias

    def advance(self, projected_Bn: Any, states: Sequence[Any], kept_Bn: Any = None) -> list[Any]:
        [h] = states
        sums = ops.matmul(h if kept_Bn is None else h * kept_Bn, self.recurrent_kernel)
        return [ops.tanh(projected_Bn + (normal(sums, self.recurrent_gain) if self.normalized else sums))]

    def unrolled(self, projected: Any, states: Sequence[Any], kept: Any, block: int | None) -> list[Any]:
        units, always = self.units, [] if kept is None else [kept]

        def run(projected: Any, h: Any, kernel: Any) -> Any:
            def step(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
                (sums, *kept), [h] = now, states
                h = ops.tanh(sums + ops.matmul(h * kept[0] if kept else h, kernel))
                return [h], [h]

            _, hs = loop(step, [projected], [h], [units], block, always=always)

            def back(upstream: Any) -> Any:
                turned = ops.transpose(kernel)

                def step(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
                    slope, added, *kept = now
                    sums = (states[0] + added) * slope
                    through = ops.matmul(sums, turned)
                    return [through * kept[0] if kept else through], [sums]

                series = [1 - hs * hs, upstream]
                first, sums = loop(step, series, [ops.zeros_like(h)], [units], block, always=always, backwards=True)
                entered = before(h, hs)
                return sums, first, products(entered * always[0][:, None] if always else entered, sums)

            return hs, back

        return [ops.custom_gradient(run)(projected, *states, read(self.recurrent_kernel))]
