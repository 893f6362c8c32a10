"""Progress on stderr: plain lines when piped, few of them, with what a person needs to decide whether to wait."""

import io
import re

import pytest
from rich.console import Console

from dlspec.report.progress import ConsoleWatch, bar
from dlspec.report.terminal import number, print_analyzed, print_evaluated, print_trained, share
from dlspec.report.watch import EpochReport


def report(epoch, score, best, epochs=3):
    return EpochReport(epoch, epochs, 0.5, 1234.0, {"loss": 0.5}, {"f1": score, "accuracy": 0.1}, "f1", best)


def test_lines_say_epoch_speed_time_left_and_the_dev_metric(capsys):
    watch = ConsoleWatch()
    watch.training(3, 7)
    for epoch, score, best in ((1, 0.5, True), (2, 0.75, True), (3, 0.6, False)):
        watch.step(epoch - 1, 7, 0.5)
        watch.epoch(report(epoch, score, best))
    watch.trained()
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[0] == "training: 3 epochs of 7 steps"
    assert re.fullmatch(
        r"epoch 1/3: loss 0.5000, dev f1 0.5000 \(the best\); 1,234 examples/s, at most \d+ s left", lines[1]
    )
    assert re.fullmatch(r"epoch 3/3: loss 0.5000, dev f1 0.6000 \(best 0.7500\); 1,234 examples/s, 0 s left", lines[-1])
    assert len(lines) == 3, "epochs in between are said every few seconds alone"


def test_the_time_left_is_told_by_the_epochs_after_the_first(capsys, monkeypatch):
    """The first takes 10 s, as it is compiled; the others 20 s each, so that each is said."""
    clock = [100.0]
    monkeypatch.setattr("dlspec.report.progress.time.monotonic", lambda: clock[0])
    for begin, expected in ((1, ["at most 30 s left", "40 s left", "20 s left"]), (2, ["examples/s", "20 s left"])):
        watch = ConsoleWatch()
        watch.training(4, 7)
        for epoch, took in zip(range(begin, 4), (10, 20, 20), strict=False):
            clock[0] += took
            watch.epoch(report(epoch, 0.5, True, epochs=4))
        lines = capsys.readouterr().err.splitlines()[1:]
        assert len(lines) == len(expected) and all(map(str.endswith, lines, expected)), lines


def test_notes_and_warnings_are_told_apart(capsys):
    watch = ConsoleWatch()
    watch.note("so")
    watch.warn("careful [bold]now[/bold]")
    assert capsys.readouterr().err == "so\nwarning: careful [bold]now[/bold]\n"


def test_numbers_as_people_read_them():
    assert [number(v) for v in (0.12345, 12.5, 1234.5, 123456.7, None, float("nan"), float("inf"))] == [
        "0.1235", "12.5000", "1,234", "123,457", "–", "–", "–",
    ]  # fmt: skip
    assert share(0.125) == "12.5 %" and share(None) == "–"


def test_what_stands_in_data_is_shown_as_text(capsys):
    """Names from data may look like rich's markup, or be very long."""
    kind = {"kind": "[red]a[/red] → b", "count": 1, "share": 1.0, "low": 0.2, "high": 1.0, "ceiling": 1.0}
    worst = {"id": "[blink]7", "kind": "k", "truth": "a", "guess": "b", "shows": {"name": "x" * 500, "gap": None}}
    print_analyzed(
        {"metric": "f1", "examples": 3, "errors": 1, "run": "r", "split": "dev", "value": 0.5, "kinds": [kind] * 20,
         "slices": [], "importance": [], "worst": [worst], "findings": ["so"], "files": {"kinds": "k", "errors": "e"}}
    )  # fmt: skip
    out = capsys.readouterr().out
    assert "[red]a[/red]" in out and "[blink]7" in out and "xxx…" in out and "5 rarer kinds" in out


def test_unknown_scores_are_dashes(capsys):
    one = {"value": float("nan"), "low": float("nan"), "high": float("nan"), "n": 2}
    print_evaluated({"run": "r", "scores": {"dev": {"roc_auc": one}, "test": {"roc_auc": one}}, "test_looks": 1})
    out = capsys.readouterr().out
    assert "–" in out and "not known" in out and "once" in out
    print_trained(
        {"epochs": 1, "seconds": 1.0, "examples_per_second": 3.0, "scores": {"train": {"f1": {"value": 0.5, "n": 3}}},
         "goal": {"metric": "f1", "value": None}, "run": "r"}
    )  # fmt: skip
    assert "0.5000" in capsys.readouterr().out


@pytest.mark.parametrize("width", [20, 29, 36, 49, 50, 95, 96, 120])
def test_a_narrow_terminal_still_says_which_epoch_and_how_much(width):
    drawn = io.StringIO()
    console = Console(file=drawn, width=width, force_terminal=True, color_system=None, legacy_windows=False)
    with bar(console) as progress:
        fields = {"epoch": 12, "epochs": 120, "speed": "12,345 examples/s", "score": ", dev accuracy 0.9778 (the best)"}
        progress.add_task("", total=120, completed=12, short="dev 0.9778", **fields)
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.getvalue()))
    last = [line for line in lines if line.strip()][-1]
    assert len(last) <= width
    assert "epoch 12/120" in last and "10 %" in last
    assert ("dev 0.9778" in last) == (30 <= width < 96)
    assert ("dev accuracy 0.9778" in last) == (width >= 96)
    assert ("━" in last) == (width >= 50)


def test_a_dumb_terminal_gets_lines(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    watch = ConsoleWatch()
    watch.training(1, 1)
    assert capsys.readouterr().err == "training: 1 epoch of 1 step\n"
