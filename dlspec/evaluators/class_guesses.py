"""Which class is guessed out of probabilities, and what that is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.types import State

if TYPE_CHECKING:
    import numpy as np

NONE_OF_THEM, NO_GUESS = -1, -2
"""guesses beside the classes: a row of zeros says "none of these classes", a row with NaN says nothing"""


def guessed(probabilities: np.ndarray, state: State) -> np.ndarray:
    import numpy as np

    if state["positive"] is not None:
        positive = state["classes"].index(state["positive"])
        guess = np.where(probabilities[:, positive] >= state["threshold"], positive, 1 - positive)
    else:
        guess = probabilities.argmax(axis=1)
    guess = np.where((probabilities == 0).all(axis=1), NONE_OF_THEM, guess)
    return np.where(np.isnan(probabilities).any(axis=1), NO_GUESS, guess)


def spoken(guess: int, state: State) -> str:
    return state["classes"][guess] if guess >= 0 else "none" if guess == NONE_OF_THEM else "not a number"
