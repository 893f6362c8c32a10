"""What of forecasts a person would rather look at: the error by step, and the worst windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlspec.types import Figure, State, Statistics

if TYPE_CHECKING:
    import numpy as np

WORST = 6
"""windows that are drawn, none of them of the same block while there are others"""
GUESS = "guess"
"""what the forecast that is judged is called: a network's, or any other tool's"""
OTHERS = {"naive": "the last value again", "seasonal": "the season before again"}


def figures(statistics: Statistics, state: State) -> list[Figure]:
    """MASE by step of the horizon beside the naive forecasts', with intervals over blocks; and the worst windows."""
    import numpy as np

    fit = np.isfinite(statistics["guess"]).all(axis=(1, 2))
    held = {name: values[fit] for name, values in statistics.items()}
    if not len(held["truth"]):
        return []
    return [*_by_step(held, state), *_worst(held, state)]


def _by_step(held: Statistics, state: State) -> list[Figure]:
    import numpy as np

    from dlspec.numeric.forecasts import clustered_mean

    names = {"guess": GUESS, **{of: name for of, name in OTHERS.items() if of in held}}
    scaled = {
        of: (np.abs(held[of] - held["truth"]) / held["unit"][:, None]).mean(axis=2)
        for of in names
        if not np.isnan(held[of]).any()
    }
    horizon = list(range(1, state["horizon"] + 1))
    series, said = [], []
    for of, errors in scaled.items():
        mean, half = clustered_mean(errors, held["block"])
        one: dict[str, Any] = {"name": names[of], "x": horizon, "y": _plain(mean)}
        if not np.isnan(half).any():
            one |= {"low": _plain(mean - half), "high": _plain(mean + half)}
        series.append(one)
        if of != "guess":
            whole, far = clustered_mean((scaled["guess"] - errors).mean(axis=1, keepdims=True), held["block"])
            between = "" if np.isnan(far[0]) else f" ({whole[0] - far[0]:+.3g} to {whole[0] + far[0]:+.3g})"
            said.append(f"{names[of]} {float(errors.mean()):.3g}, the guess's is {whole[0]:+.3g}{between} from it")
    counted = ", all windows alike" if "series" in held else ""
    caption = (
        f"MASE over all steps{counted}: {float(scaled['guess'].mean()):.3g}; {'; '.join(said)}. 1 is the error of "
        "saying the last value again one step ahead, in train. Intervals are of 95 %, over blocks of windows that "
        "overlap"
    )
    data = {"series": series, "x_title": "step", "y_title": "MASE"}
    if len(horizon) == 1:
        data = {
            "names": [one["name"] for one in series],
            "values": [one["y"][0] for one in series],
            "x_title": "forecast",
            "y_title": "MASE",
        }
        if all("low" in one for one in series):
            data |= {"low": [one["low"][0] for one in series], "high": [one["high"][0] for one in series]}
        return [Figure("bars", "Error beside the naive forecasts'", data, caption)]
    return [Figure("lines", "Error by step ahead", data, caption)]


def _worst(held: Statistics, state: State) -> list[Figure]:
    import numpy as np

    error = (np.abs(held["guess"] - held["truth"]) / held["unit"][:, None]).mean(axis=1)
    found = []
    for row, target in _chosen(error, held["block"]):
        title = f"Worst window {len(found) + 1}: {state['targets'][target]}"
        found.append(window(held, row, target, state, title))
    return found


def window(held: Statistics, row: int, target: int, state: State, title: str, *, guessed: bool = True) -> Figure:
    """One target of one window: what was before, what came, and, where it is guessed, what forecasts said."""
    import numpy as np

    history, horizon = held["history"][row, :, target], state["horizon"]
    steps = list(range(1 - len(history), horizon + 1))
    last = float(history[-1])
    begin = [] if np.isnan(last) else [last]
    x = steps[-horizon - len(begin) :]
    series = [{"name": "before", "x": steps[: len(history)], "y": _plain(history)}] if begin else []
    names = {"truth": "truth", **({"guess": GUESS, "seasonal": OTHERS["seasonal"]} if guessed else {})}
    if "seasonal" not in held:
        names |= {"naive": OTHERS["naive"]} if guessed else {}
    for of, name in names.items():
        if of in held and not np.isnan(held[of][row, :, target]).any():
            series.append({"name": name, "x": x, "y": begin + _plain(held[of][row, :, target])})
    far = np.abs(held["guess"] - held["truth"])[row, :, target].mean() / held["unit"][row, target]
    data = {"series": series, "x_title": "steps ahead", "y_title": state["targets"][target]}
    whose = f"{state['targets'][target]} alone has a" if len(state["targets"]) > 1 else "a"
    return Figure("lines", title, data, f"{whose} mean error of {far:.3g} naive errors" if guessed else "")


def _chosen(error: np.ndarray, block: np.ndarray) -> list[tuple[int, int]]:
    """Row and target of the worst, (N, T), of each block its worst; in order."""
    import numpy as np

    order = np.argsort(-error.max(axis=1), kind="stable")
    seen, rows = set[int](), []
    for row in order.tolist():
        if int(block[row]) not in seen:
            seen.add(int(block[row]))
            rows.append(row)
    return [(row, int(error[row].argmax())) for row in rows[:WORST]]


def _plain(values: np.ndarray) -> list[Any]:
    return [float(f"{one:.6g}") for one in values]
