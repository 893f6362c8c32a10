"""The long short-term memory of Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from dlspec.layers.recurrence import affine, before, loop, normal, parts, products, read
from dlspec.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable("dlspec")
class LSTM(Recurrent):
    """c' = f c + i g, h' = o tanh(c'), where i, f, o = σ(…), g = tanh(…) of weighted sums of input and h.

    States: h and c.  The forget gate's bias starts at 1 (Gers, Schmidhuber and Cummins 2000; Jozefowicz et al. 2015).
    Kernels and bias are laid out as Keras' LSTM has them, gates in the order i, f, g, o; inside the sums are in the
    order i, f, o, g, so that one sigmoid does for three of them.
    Normalised: both weighted sums, and c' as it is given out (Ba, Kiros and Hinton 2016, equations 20 to 22).
    """

    gates, carried = 4, 2

    def build_bias(self) -> None:
        def start(shape: Any, dtype: Any = None) -> Any:
            units = shape[0] // 4
            return ops.concatenate([ops.full((units * n,), v, dtype) for n, v in ((1, 0), (1, 1), (2, 0))])

        self.bias = self.add_weight(name="bias", shape=(4 * self.units,), initializer=start)

    def build_norms(self) -> None:
        super().build_norms()
        self.carry_gain = self.add_weight(name="carry_gain", shape=(self.units,), initializer="ones")
        self.carry_shift = self.add_weight(name="carry_shift", shape=(self.units,), initializer="zeros")

    def _inside(self, columns: Any) -> Any:
        """Gates i, f, g, o in the order i, f, o, g."""
        n = self.units
        return ops.concatenate([columns[..., : 2 * n], columns[..., 3 * n :], columns[..., 2 * n : 3 * n]], axis=-1)

    def projected(self, inputs: Any) -> Any:
        kernel, bias = self._inside(read(self.kernel)), self._inside(read(self.bias))
        if not self.normalized:
            return affine(inputs, kernel, bias)
        return normal(ops.matmul(inputs, kernel), self._inside(read(self.input_gain))) + bias

    def advance(self, projected_Bn: Any, states: Sequence[Any], kept_Bn: Any = None) -> list[Any]:
        h, c = states
        kernel = self._inside(read(self.recurrent_kernel))
        sums = ops.matmul(h if kept_Bn is None else h * kept_Bn, kernel)
        if self.normalized:
            sums = normal(sums, self._inside(read(self.recurrent_gain)))
        c, _, _, o = _step(projected_Bn + sums, c)
        return [o * ops.tanh(normal(c, self.carry_gain, self.carry_shift) if self.normalized else c), c]

    def unrolled(self, projected: Any, states: Sequence[Any], kept: Any, block: int | None) -> list[Any]:
        with_carry, units, always = self.return_state, self.units, [] if kept is None else [kept]

        def run(projected: Any, h: Any, c: Any, kernel: Any) -> Any:
            def step(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
                (sums, *kept), (h, c) = now, states
                c, ifo, g, o = _step(sums + ops.matmul(h * kept[0] if kept else h, kernel), c)
                h = o * ops.tanh(c)
                return [h, c], [h, c, ifo, g]

            *_, hs, cs, ifo, g = loop(step, [projected], [h, c], [units, units, 3 * units, units], block, always=always)

            def back(*upstream: Any) -> Any:
                return self._back(upstream, block, always, kernel, (h, c), (hs, cs, ifo, g))

            return ((hs, cs) if with_carry else hs), back

        found = ops.custom_gradient(run)(projected, *states, self._inside(read(self.recurrent_kernel)))
        return list(found) if with_carry else [found]

    def _back(
        self, upstream: Sequence[Any], block: int | None, always: list[Any], kernel: Any, starts: Any, run: Any
    ) -> Any:
        """The gradients of projected inputs, both states and the kernel.

        With δh and δc of a step's states, the sums get δi = δc g i(1−i), δf = δc c f(1−f), δo = δh tanh(c') o(1−o),
        δg = δc i(1−g²), where δc has δh o(1−tanh²(c')) added.  All factors are known before the loop.
        """
        hs, cs, ifo, g = run
        units = self.units

        def ready(series: list[Any]) -> list[Any]:
            h, c, entered, ifo, g, *upstream = series
            (i, f, o), t = parts(ifo, [units] * 3), ops.tanh(c)
            slope_i, slope_f, slope_o = parts(ifo - ifo * ifo, [units] * 3)
            return [g * slope_i, entered * slope_f, t * slope_o, i - i * g * g, o - h * t, f, *upstream]

        turned = ops.transpose(kernel)

        def step(now: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
            (factor_i, factor_f, factor_o, factor_g, through, forget, *added), (h, c) = now, states
            kept = added.pop() if always else None
            h = h + added[0]
            c = c + h * through
            if len(added) > 1:
                c = c + added[1]
            sums = ops.concatenate([c * factor_i, c * factor_f, h * factor_o, c * factor_g], axis=-1)
            h = ops.matmul(sums, turned)
            return [h if kept is None else h * kept, c * forget], [sums]

        zeros = [ops.zeros_like(one) for one in starts]
        series = [hs, cs, before(starts[1], cs), ifo, g, *upstream]
        h, c, sums = loop(step, series, zeros, [4 * units], block, always=always, ready=ready, backwards=True)
        entered = before(starts[0], hs)
        return sums, h, c, products(entered * always[0][:, None] if always else entered, sums)


def _step(sums: Any, c: Any) -> tuple[Any, Any, Any, Any]:
    """(c', the gates i, f, o side by side, g, o)"""
    three, g = parts(sums, [3 * c.shape[-1], c.shape[-1]])
    ifo, g = ops.sigmoid(three), ops.tanh(g)
    i, f, o = ops.split(ifo, 3, axis=-1)
    return f * c + i * g, ifo, g, o
