"""Slices, tags, the eyeball part and costs of predictions that come as a table."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dlspec.cli import main
from dlspec.data.tag_table import write_tags
from dlspec.evaluators.classes import Classes
from dlspec.numeric.rows import Rows
from dlspec.report.watch import Watch
from dlspec.runs.analyze import analyze_predictions, analyzed
from dlspec.runs.evaluate import evaluate_predictions
from dlspec.runs.judged import Judged, Part
from dlspec.runs.kept import kept_table
from dlspec.runs.predictions import Columns
from dlspec.runs.sheet_made import sheet_of_predictions
from dlspec.strategy.intervals import wilson
from dlspec.types import ArgumentError, DataError, Examples

MACHINE = {
    "command": ["dlspec"], "guarantee": "none", "seed": 1, "threads": 1, "processor": "", "system": "", "versions": {},
}  # fmt: skip
COLUMNS = ("id", "truth", "guess", "city", "age")


def table(folder, n=2000, slice_error=0.45, error=0.1, seed=0, name="dev.csv"):
    """Predictions of yes and no; wrong more often where the age is above 70."""
    random = np.random.default_rng(seed)
    age = random.normal(50, 12, n).round(1)
    truth = random.random(n) < 0.5
    wrong = random.random(n) < np.where(age > 70, slice_error, error)
    city = random.choice(["Lyon", "Oslo", "Pisa"], n)
    lines = [
        f"e{i},{'yes' if truth[i] else 'no'},{'yes' if truth[i] ^ wrong[i] else 'no'},{city[i]},{age[i]}"
        for i in range(n)
    ]
    file = folder / name
    file.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    return str(file), wrong, age


def test_a_slice_over_a_column_is_found_with_its_ceiling(tmp_path):
    file, wrong, _ = table(tmp_path)
    result = analyze_predictions([file])
    (one,) = [one for one in result["slices"] if one["found"]]
    assert one["name"] == "age" and one["condition"].startswith("age ≥ ") and one["p"] <= 0.05
    assert one["ceiling"] == pytest.approx(1 - (wrong.sum() - one["errors"]) / 2000)
    assert one["gain"] == pytest.approx(one["errors"] / 2000) and one["cost_share"] is None
    assert (one["low"], one["high"]) == wilson(one["errors"], one["n"])
    assert one["share"] == one["errors"] / wrong.sum()
    assert any(f"error is surely high where {one['condition']}" in said for said in result["findings"])
    city = next(one for one in result["slices"] if one["condition"] == "city = Oslo")
    assert not city["found"] and city["gain"] == pytest.approx(city["errors"] / 2000)


@pytest.mark.parametrize(
    ("column", "begins"), [("joined", "joined ≥ 2023-0"), ("note", "length of note ≥ ")], ids=["dates", "texts"]
)
def test_dates_have_ranges_and_what_is_found_on_some_is_counted_on_all(tmp_path, monkeypatch, column, begins):
    """Of the rows that are searched most have a text of their own, and all have a date; of all rows it is otherwise."""
    monkeypatch.setattr("dlspec.strategy.slices.MOST_ROWS", 1000)
    random = np.random.default_rng(3)
    wrong, lines, inside = [], [], []
    for i in range(3000):
        searched = i % 3 == 0
        day = np.datetime64("2019-01-01") + random.integers(0, 1800)
        note = f"{random.integers(0, 10**6):06d}" * random.integers(1, 9) if searched else "aaaa"
        late = day >= np.datetime64("2023-06-01") if column == "joined" else len(note) > 40
        inside.append(bool(late))
        wrong.append(random.random() < (0.6 if late else 0.08))
        held = {"joined": day if i != 1 else "then", "note": note}[column]
        lines.append(f"e{i},yes,{'no' if wrong[-1] else 'yes'},{held}")
    (tmp_path / "p.csv").write_text("\n".join([f"id,truth,guess,{column}", *lines]) + "\n")
    (one,) = [one for one in analyze_predictions([str(tmp_path / "p.csv")])["slices"] if one["found"]]
    assert one["condition"].startswith(begins)
    assert 0.8 * sum(inside) < one["n"] < 1.2 * sum(inside) and one["errors"] > 0.4 * one["n"]


def test_without_a_slice_none_is_found(tmp_path):
    file, _, _ = table(tmp_path, slice_error=0.1)
    assert not any(one["found"] for one in analyze_predictions([file])["slices"])


def test_a_dev_of_twenty_says_what_cannot_be_told(tmp_path):
    file, wrong, _ = table(tmp_path, n=20, error=0.2)
    said = " ".join(analyze_predictions([file])["findings"])
    assert f"{wrong.sum()} errors are few" in said and "too few to search for slices" in said


def test_no_dev_set(tmp_path):
    rows = ["id,split,truth,guess", *(f"{i},train,yes,no" for i in range(20))]
    (tmp_path / "train.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(ArgumentError, match="nothing is known of how it does on examples it was not trained on"):
        analyze_predictions([str(tmp_path / "train.csv")])


def test_tags_as_a_table_worked_by_hand(tmp_path):
    file, wrong, _ = table(tmp_path, n=300, error=0.2)
    errors = [f"e{i}" for i in np.flatnonzero(wrong)]
    right = [f"e{i}" for i in np.flatnonzero(~wrong)]
    tags = {name: ["dark", "blurry"] if at < 12 else ["dark"] for at, name in enumerate(errors[:30])}
    tags |= {name: ["label"] for name in errors[30:40]} | {right[0]: ["dark"], errors[40]: [], "nobody": ["dark"]}
    write_tags(tmp_path / "tags.csv", tags)
    found = analyze_predictions([file], tags=str(tmp_path / "tags.csv"))["tags"]
    assert [(one["tag"], one["count"]) for one in found["categories"]] == [("dark", 30), ("blurry", 12), ("label", 10)]
    dark = found["categories"][0]
    assert dark["share"] == 30 / 40 and (dark["low"], dark["high"]) == wilson(30, 40)
    assert sum(one["share"] for one in found["categories"]) > 1
    # three quarters of the errors that were looked at stand for three quarters of all
    assert dark["gain"] == pytest.approx(0.75 * wrong.mean())
    assert dark["ceiling"] == pytest.approx(1 - 0.25 * wrong.mean())
    assert (found["tagged"], found["not_errors"], found["unknown"]) == (40, 1, ["nobody"])
    said = " ".join(found["says"])
    assert "1 of 43 ids are not in dev (nobody)" in said and "1 tagged example is no error here" in said
    assert "1 listed without a tag" in said and f"{wrong.sum() - 40} of the {wrong.sum()} in the eyeball part" in said


def test_names_that_are_no_utf8(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    file, _, _ = table(folder, n=300)
    made = evaluate_predictions([file], out=folder / "seen")
    kept = folder / "seen" / "predictions" / "dev.parquet"
    assert evaluate_predictions([str(kept)])["scores"] == made["scores"]
    assert len(kept_table(kept)["id"]) == 300
    looked, _, _ = judged({})
    part = looked.parts["dev"]
    ids = [os.fsdecode(b"p\xe9.png"), *part.examples.ids[1:]]
    looked = replace(looked, home=folder, parts={"dev": replace(part, examples=part.examples.replace(ids=ids))})
    analyzed(looked, "dev", worst=3, looks=0, watch=Watch())
    assert "\np\\udce9.png,no → yes," in (folder / "errors" / "dev.csv").read_text()
    write_tags(folder / "tags.csv", {ids[0]: ["dark"]})
    again = analyzed(looked, "dev", worst=3, looks=0, watch=Watch(), tags=str(folder / "tags.csv"))
    assert again["tags"]["tagged"] == 1 and again["tags"]["unknown"] == []


def test_tags_of_other_data_are_refused(tmp_path):
    file, _, _ = table(tmp_path, n=100)
    write_tags(tmp_path / "tags.csv", {"x1": ["a"], "x2": ["b"]})
    with pytest.raises(DataError, match=r"none of its 2 ids is in dev \(x1, x2\), where ids look like 'e0'"):
        analyze_predictions([file], tags=str(tmp_path / "tags.csv"))


def test_tags_of_what_is_right_alone_say_nothing(tmp_path):
    file, wrong, _ = table(tmp_path, n=100)
    write_tags(tmp_path / "tags.csv", {f"e{np.flatnonzero(~wrong)[0]}": ["a"]})
    found = analyze_predictions([file], tags=str(tmp_path / "tags.csv"))["tags"]
    assert found["categories"] == [] and "no error is tagged" in found["says"][-1]


def test_the_eyeball_part_is_drawn_kept_and_shown_alone(tmp_path):
    file, wrong, _ = table(tmp_path, n=4000, error=0.1, slice_error=0.1)
    out = tmp_path / "out"
    first = analyze_predictions([file], out=out, worst=4000)
    eyeball = first["eyeball"]
    assert eyeball["bound"] == 0.25 and 60 < eyeball["errors"] < 140 and not eyeball["overfitted"]
    assert eyeball["errors"] + eyeball["black_box"]["errors"] == wrong.sum()
    assert len(first["worst"]) == eyeball["errors"]
    lines = (out / "errors" / "dev.csv").read_text().splitlines()
    assert lines[0].startswith("id,kind,size,truth,guess,part,")
    assert sum(",eyeball," in line for line in lines) == eyeball["errors"]
    # With half of the errors another run would draw a larger part; this one keeps its own.
    better, _, _ = table(tmp_path, n=4000, error=0.05, slice_error=0.05, name="better.csv")
    kept = analyze_predictions([better], out=out, worst=4000)
    assert kept["eyeball"]["examples"] == eyeball["examples"]
    fresh = analyze_predictions([better], worst=4000)
    assert fresh["eyeball"]["bound"] == 0.5
    asked = analyze_predictions([file], out=out, eyeball=50, worst=4000)
    assert asked["eyeball"]["examples"] == 50 and analyze_predictions([file], out=out)["eyeball"]["examples"] == 50
    whole = analyze_predictions([file], eyeball=0, worst=4000)
    assert whole["eyeball"]["examples"] == 4000 and len(whole["worst"]) == wrong.sum()


def test_an_overfitted_eyeball_part_is_named(tmp_path):
    file, _, _ = table(tmp_path, n=3000, error=0.1, slice_error=0.1)
    looked = {one["id"] for one in analyze_predictions([file], worst=3000)["worst"]}
    lines = Path(file).read_text().splitlines()
    mended = [line for at, line in enumerate(lines) if at == 0 or line.split(",")[0] not in looked or at % 5 == 0]
    cured = []
    for line in lines[1:]:
        name, truth, _, *rest = line.split(",")
        cured.append(",".join([name, truth, truth, *rest]) if line not in mended else line)
    (tmp_path / "after.csv").write_text("\n".join([lines[0], *cured]) + "\n")
    first = analyze_predictions([file])["eyeball"]
    result = analyze_predictions([str(tmp_path / "after.csv")], eyeball=first["examples"])
    assert result["eyeball"]["overfitted"] and "surely more" in result["eyeball"]["says"]
    assert result["eyeball"]["says"] in result["findings"]


def test_later_runs_are_held_against_the_first(tmp_path):
    """Errors of the first run are mended in the eyeball part alone."""
    from dlspec.runs import folder as folders

    file, _, _ = table(tmp_path, n=3000, error=0.12, slice_error=0.12)
    homes = [tmp_path / "runs" / "shop" / name for name in ("20260101-000000", "20260102-000000")]
    for home in homes:
        folders.write_json(home / "machine.json", {**MACHINE, "data_fingerprint": "same"})
    first = analyze_predictions([file], out=homes[0], worst=3000)
    assert first["eyeball"]["since"] is None
    looked = {one["id"] for one in first["worst"]}
    lines = Path(file).read_text().splitlines()
    after = [lines[0]]
    for line in lines[1:]:
        name, truth, _, *rest = line.split(",")
        after.append(",".join([name, truth, truth, *rest]) if name in looked and int(name[1:]) % 3 else line)
    (tmp_path / "after.csv").write_text("\n".join(after) + "\n")
    second = analyze_predictions([str(tmp_path / "after.csv")], out=homes[1], eyeball=first["eyeball"]["examples"])
    assert second["eyeball"]["since"]["run"] == "shop/20260101-000000"
    assert second["eyeball"]["overfitted"] and "since shop/20260101-000000" in second["eyeball"]["says"]
    same = analyze_predictions([file], out=homes[1])
    assert same["eyeball"]["since"]["p"] is None and not same["eyeball"]["overfitted"]


def test_it_is_shown_on_a_terminal_and_in_the_report(tmp_path, capsys):
    file, wrong, _ = table(tmp_path, n=2000)
    errors = [f"e{i}" for i in np.flatnonzero(wrong)][:60]
    write_tags(tmp_path / "tags.csv", {name: ["<b>dark</b>"] for name in errors})
    words = [
        "error-analysis",
        "--predictions",
        file,
        "--tags",
        str(tmp_path / "tags.csv"),
        "--out",
        str(tmp_path / "o"),
    ]
    with pytest.raises(SystemExit) as ended:
        main(words)
    out = capsys.readouterr().out
    assert not ended.value.code
    assert "where error is surely high" in out and "age ≥" in out and "<b>dark</b>" in out and "what you tagged" in out
    page = (tmp_path / "o" / "report.html").read_text()
    assert "Where error is surely high" in page and "&lt;b&gt;dark" in page and "<b>dark" not in page
    with pytest.raises(SystemExit):
        main([*words, "--json"])
    held = json.loads(capsys.readouterr().out)
    assert held["tags"]["categories"][0]["tag"] == "<b>dark</b>" and held["eyeball"]["examples"]


def judged(costs):
    """240 predictions of 300 right, held as arrays; a miss of yes is a kind of its own."""
    random = np.random.default_rng(0)
    truth = random.random(300) < 0.5
    wrong = np.arange(300) % 5 == 0
    names, evaluator = ("no", "yes"), Classes().weighed(costs) if costs else Classes()
    state = {"classes": list(names), "positive": "yes", "threshold": 0.5}
    rows = np.stack([truth == wrong, truth ^ wrong], 1) * 0.8 + 0.1
    examples = Examples(
        [f"e{i}" for i in range(300)],
        Rows({"age": random.normal(size=300)}),
        [names[int(one)] for one in truth],
        tags={"light": ["dark" if i % 4 == 0 else "day" for i in range(300)]},
    )
    part = Part(examples, rows, evaluator.statistics(examples, rows, state))
    return Judged(evaluator, state, evaluator.metrics(state)[0], {"dev": part}, Columns(), None), truth, wrong


def test_costs_order_kinds_and_tags(tmp_path):
    costs = {"no → yes": 10.0, "light=dark": 3.0, "rain": 20.0}
    what, truth, wrong = judged(costs)
    errors = np.flatnonzero(wrong)
    write_tags(tmp_path / "tags.csv", {f"e{i}": ["rain"] if at < 5 else ["snow"] for at, i in enumerate(errors)})
    result = analyzed(what, "dev", worst=0, looks=0, watch=Watch(), tags=str(tmp_path / "tags.csv"))
    dark = np.arange(300) % 4 == 0
    cost = np.where(wrong, np.where(~truth, 10.0, np.where(dark, 3.0, 1.0)), 0.0)
    shares = {one["kind"]: one["cost_share"] for one in result["kinds"]}
    assert shares["no → yes"] == pytest.approx(cost[~truth].sum() / cost.sum())
    assert sum(shares.values()) == pytest.approx(1) and result["kinds"][0]["kind"] == "no → yes"
    (light,) = [one for one in result["slices"] if one["condition"] == "light = dark"]
    assert light["cost_share"] == pytest.approx(cost[dark].sum() / cost.sum())
    weighed = cost.copy()
    weighed[errors[:5]] = 20
    found = {one["tag"]: one for one in result["tags"]["categories"]}
    assert found["rain"]["cost"] == 20
    assert found["rain"]["cost_share"] == pytest.approx(100 / weighed.sum())
    assert found["rain"]["worth"] == pytest.approx(20 * found["rain"]["gain"])
    assert found["snow"]["worth"] == pytest.approx(weighed[errors[5:]].mean() * found["snow"]["gain"])


def test_without_costs_none_are_shown():
    what, _, _ = judged({})
    result = analyzed(what, "dev", worst=0, looks=0, watch=Watch())
    assert {one["cost_share"] for one in (*result["kinds"], *result["slices"])} == {None}


def test_the_sheet_shows_the_eyeball_part_alone(tmp_path):
    file, wrong, _ = table(tmp_path, n=400, error=0.2)
    part = analyze_predictions([file], eyeball=100, worst=400)
    sheet = sheet_of_predictions([file], eyeball=100)
    assert {item["id"] for item in sheet.items} == {one["id"] for one in part["worst"]}
    assert sheet.total == part["eyeball"]["errors"] < wrong.sum()
    assert sheet_of_predictions([file], eyeball=0).total == wrong.sum()
