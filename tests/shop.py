"""The customers of a shop, made up: the README's own data, with gaps, categories, dates and identifiers."""

import csv
import math
import random
from pathlib import Path


def write(file: Path, count: int = 1200, seed: int = 1) -> None:
    """One row a customer.  Who comes back depends on the distance from a habit, which no straight line tells."""
    draw = random.Random(seed)
    with open(file, "w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["customer", "joined", "visits", "spent", "city", "age", "returned"])
        for number in range(count):
            city = draw.choice(["Lyon", "Oslo", "Pisa"])
            visits, spent = draw.gauss(10, 4), draw.gauss(60, 20)
            habit = math.hypot((visits - 10) / 4, (spent - 60) / 20)
            limit = 1.1 if city != "Pisa" else 1.5
            came = habit < limit if draw.random() > 0.04 else habit >= limit
            joined = f"20{draw.randint(19, 23)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
            age = "" if draw.random() < 0.05 else draw.randint(18, 80)
            row = [f"C{10000 + 7 * number}", joined, max(0, round(visits)), f"{max(0.0, spent):.2f}", city, age]
            writer.writerow([*row, "yes" if came else "no"])
