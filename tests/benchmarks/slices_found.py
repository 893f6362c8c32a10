"""How often a planted slice is found, and how often one is reported where there is none.

python tests/benchmarks/slices_found.py [--draws 100]

Dev of 2,000 with 8 columns (4 of words with 4, 8, 12 and 20 values, 4 of numbers; two of each tied to another); error
10 % in all; a slice of 5 % of the examples with 3 times that, by chance or (--exact) just that.  Found: a reported
slice is on the planted column, and intersection over union with the planted one is at least a third.
"""

import argparse
import json
import time

import numpy as np

N, ERROR, SHARE, TIMES = 2_000, 0.1, 0.05, 3


def table(random, n=N):
    """Facts: words and numbers, some of which go together."""
    words = {f"words {k}": random.integers(0, k, n) for k in (4, 8, 12)}
    tied = np.where(random.random(n) < 0.7, words["words 12"], random.integers(0, 20, n))
    facts = {name: np.array([f"v{one}" for one in values], object) for name, values in words.items()}
    facts["words 20"] = np.array([f"v{one}" for one in tied], object)
    facts["normal"] = random.normal(size=n)
    facts["tied"] = facts["normal"] + 0.5 * random.normal(size=n)
    facts["skewed"] = random.gamma(1.0, 10.0, n)
    facts["whole"] = random.integers(0, 30, n).astype(float)
    return facts


def planted(kind, facts, random):
    """The column and rows of a slice of 5 %; None where there is none."""
    n = len(facts["normal"])
    if kind == "clean":
        return None, np.zeros(n, bool)
    count = int(SHARE * n)
    if kind == "category":
        rows = np.zeros(n, bool)
        rows[random.choice(n, count, replace=False)] = True
        values = facts["words 8"].copy()
        values[rows] = "rare"
        facts["words 8"] = values
        return ("words 8",), rows
    if kind == "pair":
        # Two words that meet in 5 % of the rows, each of them far more frequent.
        facts["words 4"] = np.array([f"v{int(one)}" for one in random.random(n) / 0.2236], object)
        facts["words 8"] = np.array([f"v{int(one)}" for one in random.random(n) / 0.2236], object)
        return ("words 4", "words 8"), (facts["words 4"] == "v0") & (facts["words 8"] == "v0")
    name = "normal" if random.random() < 0.5 else "skewed"
    order = facts[name].argsort(kind="stable")
    start = {"lowest": 0, "highest": n - count}.get(kind, int(random.integers(count, n - 2 * count)))
    rows = np.zeros(n, bool)
    rows[order[start : start + count]] = True
    return (name,), rows


def errors(rows, exact, random):
    """(N,) bool: which examples are wrong."""
    n, times = len(rows), TIMES if rows.any() else 1
    if not exact:
        rest = (ERROR - rows.mean() * times * ERROR) / (1 - rows.mean())
        return random.random(n) < np.where(rows, times * ERROR, rest)
    wrong = np.zeros(n, bool)
    inside = round(times * ERROR * rows.sum())
    wrong[random.choice(np.flatnonzero(rows), inside, replace=False)] = True
    wrong[random.choice(np.flatnonzero(~rows), round(ERROR * n) - inside, replace=False)] = True
    return wrong


def draw(kind, seed, exact=False):
    """Whether it was found, whether another was reported, and how much the found one shares with the planted one."""
    from dlspec.strategy.conditions import widened
    from dlspec.strategy.slices import find_slices

    random = np.random.default_rng(seed)
    facts = table(random)
    names, rows = planted(kind, facts, random)
    wrong = errors(rows, exact, random)
    facts = widened(facts)
    hit, false, shared = False, 0, 0.0
    for one in find_slices(facts, wrong, seed=seed):
        held = one.rows(facts)
        overlap = (held & rows).sum() / (held | rows).sum() if rows.any() else 0.0
        right = names is not None and {c.column for c in one.conditions} == set(names) and overlap >= 1 / 3
        hit, false, shared = hit or right, false + (not right), max(shared, float(overlap))
    return hit, false, shared


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--kinds", nargs="*", default=["category", "lowest", "highest", "range", "pair", "clean"])
    parser.add_argument("--exact", action="store_true", help="30 of the 100 planted are wrong, not so many by chance")
    asked = parser.parse_args()
    for kind in asked.kinds:
        begun = time.perf_counter()
        found = [draw(kind, seed, asked.exact) for seed in range(asked.first, asked.first + asked.draws)]
        hits, false, shared = zip(*found, strict=True)
        print(
            json.dumps(
                {
                    "planted": kind, "draws": asked.draws, "found": int(sum(hits)),
                    "draws with another slice": sum(int(one > 0) for one in false),
                    "overlap": round(float(np.mean(shared)), 3),
                    "seconds a draw": round((time.perf_counter() - begun) / asked.draws, 2),
                }
            ),
            flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
