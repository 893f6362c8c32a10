"""What is true of an example, as the name of a class, a number or a text, whatever the reader gave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.numeric.class_names import class_name as class_name
from dlspec.numeric.class_names import named as named
from dlspec.numeric.class_names import plain
from dlspec.types import DataError, Examples
from dlspec.wording import plural

if TYPE_CHECKING:
    import numpy as np


def class_names(examples: Examples) -> list[str]:
    """The class of every example.  Raises DataError that names the examples without one, or with several."""
    given = examples.column("y")
    several = [row for row, one in enumerate(given) if isinstance(one, tuple | list | Mapping)]
    if several:
        row = several[0]
        raise DataError(
            f"the target of {len(several):,} of {len(given):,} examples is a list ({examples.ids[row]}: "
            f"{str(given[row])[:80]}), and a class is one name; is this data for another task, as tagging?"
        )
    names = named(given)
    known = [name for name in names if name is not None]
    if len(known) < len(names):
        raise _without_target(examples, [name is None for name in names])
    return known


def texts(examples: Examples) -> list[str]:
    """The text that is true of every example.  Raises DataError that names the examples without one."""
    found = examples.column("y")
    if any(one is None for one in found):
        raise _without_target(examples, [one is None for one in found])
    return [str(one) for one in found]


def numbers(examples: Examples) -> np.ndarray:
    """The target of every example as float64.  Raises DataError that names those that are missing or no numbers."""
    import numpy as np

    values = [plain(value) for value in examples.column("y")]
    wrong = [i for i, value in enumerate(values) if isinstance(value, str | bool)]
    if wrong:
        # One word makes a reader take a whole column for words: then the word is to blame, not the numbers.
        words = [i for i in wrong if isinstance(values[i], bool) or not _is_number(values[i])]
        if 0 < len(words) < len(values) / 2:
            wrong = words
        shown = [f"{examples[i].id} ('{str(class_name(values[i]))[:60]}')" for i in wrong[:3]]
        raise DataError(
            f"the target should be a number, but in {len(wrong)} of {len(values)} examples it is text or true/false: "
            f"{some(shown, len(wrong))}; for classes, write task: classification"
        )
    missing = [value is None or value != value for value in values]
    if any(missing):
        raise _without_target(examples, missing)
    endless = [example_id for example_id, value in zip(examples.ids, values, strict=True) if math.isinf(value)]
    if endless:
        raise DataError(
            f"the target is infinite in {len(endless)} of {len(values)} examples: {some(endless)}; "
            "mend these rows or leave them out"
        )
    return np.array(values, np.float64)


def steps_ahead(examples: Examples, horizon: int, targets: int) -> np.ndarray:
    """What comes after each window, (N, horizon, targets) float64: of arrays, single numbers, or texts as a table of
    predictions has them.  Raises DataError that names examples without it, or with another number of steps."""
    import numpy as np

    from dlspec.numeric.forecasts import numbers_of

    y = examples.columns["y"]
    if y is not None and getattr(y, "ndim", 0) == 3 and y.shape[1:] == (horizon, targets):
        found = np.asarray(y, np.float64)[np.asarray(examples.rows, np.int64)]
    else:
        own = []
        for place, one in enumerate(examples.column("y")):
            if one is None:
                own.append(np.full((horizon, targets), np.nan))
                continue
            row = np.asarray(numbers_of(one), np.float64).T if isinstance(one, str) else np.asarray(one, np.float64)
            if row.size != horizon * targets:
                raise DataError(
                    f"example '{examples[place].id}' has a truth of {row.size} numbers; expected {horizon * targets}, "
                    f"{plural(horizon, 'step')} of {targets} target{'s' * (targets > 1)}"
                )
            own.append(row.reshape(horizon, targets))
        found = np.stack(own) if own else np.zeros((0, horizon, targets))
    absent = ~np.isfinite(found).all(axis=(1, 2))
    if absent.any():
        raise _without_target(examples, absent.tolist())
    return found


def some(items: Sequence[str], count: int | None = None) -> str:
    """The first three of many: `a, b, c and 5 more`."""
    count = len(items) if count is None else count
    rest = f" and {count - 3} more" if count > 3 else ""
    return ", ".join(items[:3]) + rest


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _without_target(examples: Examples, missing: Sequence[bool]) -> DataError:
    if all(missing):
        return DataError(f"none of the {len(missing)} examples has a target; name the right target in the data section")
    ids = [example_id for example_id, gone in zip(examples.ids, missing, strict=True) if gone]
    return DataError(
        f"the target is missing in {len(ids)} of {len(missing)} examples: {some(ids)}; "
        "fill it in, or leave these rows out"
    )
