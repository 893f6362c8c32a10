"""The simple recurrent network of Elman (1990)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from dlspec.layers.recurrence import before, loop, normal, products, read
from dlspec.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable("dlspec")
class SimpleRNN(Recurrent):
    """h' = tanh(W x + U h + b): Elman (1990), "Finding structure in time".  State: h.

    Normalised: both weighted sums, each with a gain of its own (Ba, Kiros and Hinton 2016, as their LSTM has it).
    """

    gates = 1

    def projected(self, inputs: Any) -> Any:
        sums = ops.matmul(inputs, self.kernel)
        return (normal(sums, self.input_gain) if self.normalized else sums) + self.bias

    def advance(self, projected_Bn: Any, states: Sequence[Any], kept_Bn: Any = None) -> list[Any]:
        [h] = states
        sums = ops.matmul(h if kept_Bn is None else h * kept_Bn, self.recurrent_kernel)
        return [ops.tanh(projected_Bn + (normal(sums, self.recurrent_gain) if self.normalized else sums))]

    def unrolled(self, projected_TBn: Any, states: Sequence[Any], kept_Bn: Any, block: int) -> list[Any]:
        def run(projected_TBn: Any, h: Any, kernel: Any) -> Any:
            def step(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
                [h] = states
                h = ops.tanh(now[0] + ops.matmul(h if kept_Bn is None else h * kept_Bn, kernel))
                return [h], [h]

            _, hs = loop(step, [projected_TBn], [h], [self.units], block)

            def back(upstream: Any) -> Any:
                turned = ops.transpose(kernel)

                def step(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
                    slope, added = now
                    sums = (states[0] + added) * slope
                    h = ops.matmul(sums, turned)
                    return [h if kept_Bn is None else h * kept_Bn], [sums]

                first, sums = loop(
                    step, [1 - hs * hs, upstream], [ops.zeros_like(h)], [self.units], block, backwards=True
                )
                entered = before(h, hs)
                return sums, first, products(entered if kept_Bn is None else entered * kept_Bn, sums)

            return hs, back

        return [ops.custom_gradient(run)(projected_TBn, *states, read(self.recurrent_kernel))]
