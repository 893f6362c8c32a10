"""The gated recurrent unit of Cho et al. (2014)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from dlspec.layers.recurrence import affine, before, loop, normal, parts, products, read
from dlspec.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable("dlspec")
class GRU(Recurrent):
    """h' = z h + (1 − z) g, where z, r = σ(W x + U h + b) and g = tanh(W x + b + r (U h + b)).  State: h.

    Cho et al. (2014), with the reset gate r behind the product, as in Keras and cuDNN (Keras: `reset_after`).  Laid out
    as Keras' GRU: gates in the order z, r, g, the bias (2, 3 × units): of the inputs, and of h.
    Normalised: both weighted sums before their biases (Ba, Kiros and Hinton 2016, supplementary material).
    """

    gates = 3

    def build_bias(self) -> None:
        self.bias = self.add_weight(name="bias", shape=(2, 3 * self.units), initializer="zeros")

    def projected(self, inputs: Any) -> Any:
        bias = read(self.bias)[0]
        if not self.normalized:
            return affine(inputs, self.kernel, bias)
        return normal(ops.matmul(inputs, self.kernel), self.input_gain) + bias

    def advance(self, projected_Bn: Any, states: Sequence[Any], kept_Bn: Any = None) -> list[Any]:
        [h] = states
        sums = ops.matmul(h if kept_Bn is None else h * kept_Bn, self.recurrent_kernel)
        sums = (normal(sums, self.recurrent_gain) if self.normalized else sums) + self.bias[1]
        return [_step(projected_Bn, sums, h)[0]]

    def unrolled(self, projected: Any, states: Sequence[Any], kept: Any, block: int | None) -> list[Any]:
        units, always = self.units, [] if kept is None else [kept]

        def run(projected: Any, h: Any, kernel: Any, bias: Any) -> Any:
            def step(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
                (inputs, *kept), [h] = now, states
                sums = ops.matmul(h * kept[0] if kept else h, kernel) + bias
                h, zr, g, inner = _step(inputs, sums, h)
                return [h], [h, zr, g, inner]

            _, *found = loop(step, [projected], [h], [units, 2 * units, units, units], block, always=always)

            def back(upstream: Any) -> Any:
                return self._back(upstream, block, always, kernel, h, found)

            return found[0], back

        kernel, bias = read(self.recurrent_kernel), read(self.bias)[1]
        return [ops.custom_gradient(run)(projected, *states, kernel, bias)]

    def _back(self, upstream: Any, block: int | None, always: list[Any], kernel: Any, start: Any, run: Any) -> Any:
        """The gradients of projected inputs, state, kernel and its bias.

        With δh of a step's output the sums get δz = δh (h−g) z(1−z), δg = δh (1−z)(1−g²), δr = δg a r(1−r), where a is
        U h + b of g, which gets δg r; h gets δh z beside what comes through U.  All factors are known before the loop.
        """
        hs, zr, g, inner = run
        units = self.units
        entered, candidate = before(start, hs), (1 - zr[..., :units]) * (1 - g * g)

        def ready(series: list[Any]) -> list[Any]:
            entered, zr, g, inner, candidate, added = series
            z, r = parts(zr, [units] * 2)
            slope_z, slope_r = parts(zr - zr * zr, [units] * 2)
            return [(entered - g) * slope_z, candidate * inner * slope_r, candidate * r, z, added]

        turned = ops.transpose(kernel)

        def step(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
            factor_z, factor_r, factor_g, z, added, *kept = now
            h = states[0] + added
            sums = ops.concatenate([h * factor_z, h * factor_r, h * factor_g], axis=-1)
            through = ops.matmul(sums, turned)
            return [h * z + (through * kept[0] if kept else through)], [h, sums]

        series, zeros = [entered, zr, g, inner, candidate, upstream], [ops.zeros_like(start)]
        first, h, sums = loop(
            step, series, zeros, [units, 3 * units], block, always=always, ready=ready, backwards=True
        )
        projected = ops.concatenate([sums[..., : 2 * units], h * candidate], axis=-1)
        kernel = products(entered * always[0][:, None] if always else entered, sums)
        return projected, first, kernel, ops.sum(sums, axis=(0, 1, 2))


def _step(projected: Any, sums: Any, h: Any) -> tuple[Any, Any, Any, Any]:
    """(h', the gates z and r side by side, g, what r lets through)"""
    units = h.shape[-1]
    inputs_zr, inputs_g = parts(projected, [2 * units, units])
    sums_zr, inner = parts(sums, [2 * units, units])
    zr = ops.sigmoid(inputs_zr + sums_zr)
    z, r = ops.split(zr, 2, axis=-1)
    g = ops.tanh(inputs_g + r * inner)
    return g + z * (h - g), zr, g, inner
