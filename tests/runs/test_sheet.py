"""The sheet of errors: what is on it, that tags survive whatever happens, and that names stay text."""

import base64
import contextlib
import csv
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys

import drawn_sheet
import pytest
from drawn_sheet import Client, Scripts

from dlspec.cli import main
from dlspec.data import corrections
from dlspec.data.tag_table import read_tags
from dlspec.report.sheet import page, policy
from dlspec.runs.sheet import write
from dlspec.runs.sheet_made import sheet_of_predictions, sheet_of_run
from dlspec.types import ArgumentError


@pytest.fixture
def sheet(tmp_path):
    return drawn_sheet.sheet(tmp_path)


def test_the_worst_come_first_with_what_is_known_of_them(sheet):
    held = sheet.held()
    assert (held["errors"], held["examples"], held["shown"]) == (30, 33, 30)
    assert [item["id"] for item in held["items"]] == [f"{drawn_sheet.HARM} {i}.png" for i in range(30)]
    first = held["items"][0]
    assert first["given"] in drawn_sheet.CLASSES and first["truth"].startswith(first["given"])
    assert first["facts"] == [(drawn_sheet.HARM, drawn_sheet.QUOTED)]
    assert len(first["kinds"]) == 1 and first["tags"] == () and first["label"] == ""


def test_of_a_large_dev_a_part_is_shown_and_the_page_says_so(tmp_path):
    made = drawn_sheet.sheet(tmp_path, 700, rows=True, eyeball=None)
    held = made.held()
    kept = json.loads((tmp_path / "eyeball.json").read_text())["dev"]
    assert held["errors"] == held["shown"] == kept["errors"] < 300
    assert (held["examples"], held["black_box"]) == (kept["examples"], kept["black_box"]["examples"])
    assert held["examples"] + held["black_box"] == 770
    assert f"{held['black_box']} more of dev stay unseen" in page(held)
    assert "stay unseen" not in page(drawn_sheet.sheet(None).held())


def test_a_spreadsheet_with_notes_is_kept_beside(tmp_path):
    table = tmp_path / "errors" / "tags.csv"
    table.parent.mkdir()
    table.write_text("id,blurry,note\na,x,look again\n")
    made = drawn_sheet.sheet(tmp_path)
    for tags in (["dark"], ["dark", "blurry"]):
        made.notes.set_tags(made.items[0]["id"], tags)
    assert read_tags(table) == {"a": ("blurry",), made.items[0]["id"]: ("dark", "blurry")}
    assert (table.parent / "tags.before.csv").read_text() == "id,blurry,note\na,x,look again\n"
    assert len(list(table.parent.iterdir())) == 2


def test_doubted_labels_are_shown_and_their_table_stays_as_it_is(tmp_path):
    table = tmp_path / "errors" / "relabel.csv"
    table.parent.mkdir()
    plain = drawn_sheet.sheet(None)
    worst, right = plain.items[0], plain.judged.parts["dev"].examples[31]
    rows = [
        [worst["id"], "dev", worst["given"], "fox", "0.9712", "", "suspect", "mine; yours"],
        [right.id, "dev", right.y, "dog", "0.8", "cat", "suspect", ""],
        [plain.items[1]["id"], "dev", "what it no longer is", "dog", "0.8", "", "suspect", ""],
        ["gone", "train", "cat", "dog", "0.7", "", "suspect", ""],
    ]
    with open(table, "w", newline="") as text:  # as a spreadsheet may write it
        writer = csv.writer(text, delimiter=";")
        writer.writerow(["id", "split", "label", "suggested", "probability", "new", "why", "remark"])
        writer.writerows(rows)
    made = drawn_sheet.sheet(tmp_path)
    assert made.items[0]["suspect"] == {"suggested": "fox", "probability": "0.9712", "why": "suspect"}
    assert made.items[1]["suspect"] is None
    assert len(made.items) == 31 and made.items[30]["id"] == right.id and not made.items[30]["error"]
    assert made.held()["items"][30]["label"] == "cat"
    made.notes.set_label(worst["id"], "fox", split="dev", given=worst["given"])
    with open(table, newline="") as text:
        again = list(csv.reader(text, delimiter=";"))
    assert again[1][5] == "fox" and again[1][:5] + again[1][6:] == rows[0][:5] + rows[0][6:] and again[2:] == rows[1:]
    next_one = f"relabel.csv: 2; next: dlspec error-analysis shapes --relabel {table}"
    assert made.ends().startswith("labels corrected in ") and made.ends().endswith(next_one)


@pytest.mark.parametrize("rows", [False, True])
def test_names_are_text_in_the_page(tmp_path, rows):
    made = drawn_sheet.sheet(tmp_path, rows=rows)
    made.notes.set_tags(made.items[0]["id"], [drawn_sheet.HARM, drawn_sheet.QUOTED])
    for served in (True, False):
        html = page(made.held("token" if served else None))
        found = Scripts(html)
        data, script = found.elements
        assert data[0]["type"] == "application/json" and len(found.elements) == 2
        assert json.loads(data[1])["items"][0]["tags"] == [drawn_sheet.HARM.replace(";", ","), drawn_sheet.QUOTED]
        assert drawn_sheet.HARM not in html and "onerror=" not in html.replace(data[1], "")
        assert not [one for one in found.tags if one[0] == "img" or any(name.startswith("on") for name in one[1])]
        digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
        allowed = policy(served=served)
        assert f"script-src 'sha256-{digest}'" in allowed and "unsafe" not in allowed
        (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in allowed
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function", script[1])


def test_the_file_holds_all_it_needs(sheet, tmp_path):
    sheet.notes.set_tags(sheet.items[2]["id"], ["dark"])
    file = tmp_path / "sheet.html"
    write(sheet, file)
    html = file.read_text(encoding="utf-8")
    held = json.loads(Scripts(html).elements[0][1])
    assert held["token"] is None and held["items"][2]["tags"] == ["dark"]
    assert all(base64.b64decode(item["png"]).startswith(b"\x89PNG") for item in held["items"])
    assert not re.search(r"https?://", html.replace(json.dumps(held), ""))


def test_names_of_files_that_are_no_utf8(tmp_path):
    made = drawn_sheet.sheet(tmp_path, rows=True)
    made.items[0]["id"] = os.fsdecode(b"caf\xe9.png")
    made.notes.set_tags(made.items[0]["id"], ["dark"])
    assert json.loads(Scripts(page(made.held())).elements[0][1])["items"][0]["id"] == "caf\udce9.png"
    assert made.held()["items"][0]["tags"] == ("dark",)
    name = made.items[0]["id"]
    label = made.items[0]["given"]
    for given in (label, ""):  # the second finds the row of the first
        made.notes.set_label(name, given, split="dev", given=label)
        assert list(made.notes.doubts()) == [name] and [one.new for one in made.notes.doubts()[name]] == [given]
    made.notes.set_label(name, label, split="dev", given=label)
    assert corrections.read(str(made.notes.relabel_file)) == {corrections.Spot(name): label}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Predictions of another tool: 40, of which 10 are wrong."""
    file = tmp_path_factory.mktemp("given") / "predictions.csv"
    truth = ["cat" if i % 2 else "dog" for i in range(40)]
    guess = ["cat" if i % 4 == 0 else one for i, one in enumerate(truth)]
    rows = [f"e{i},{a},{b},<b>{i}</b>" for i, (a, b) in enumerate(zip(truth, guess, strict=True))]
    file.write_text("id,truth,guess,remark\n" + "\n".join(rows) + "\n")
    return file


@contextlib.contextmanager
def command(arguments, folder):
    """`dlspec error-analysis --sheet --json`, up and serving: the process, and what it said first."""
    code = "from dlspec.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "error-analysis", *arguments, "--sheet", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, json.loads(line)
    finally:
        process.kill()
        process.communicate()


def test_tags_survive_a_kill(table, tmp_path):
    with command(["--predictions", str(table), "--out", "looked"], tmp_path) as (process, said):
        assert said["errors"] == said["shown"] == 10 and said["tags"] == str(
            tmp_path / "looked" / "errors" / "tags.csv"
        )
        client = Client(said["url"])
        for row in range(10):
            assert client.post({"row": row, "tags": ["odd", f"row {row}"]})[0] == 200
            found = read_tags(said["tags"])  # on disk when the answer comes
            assert len(found) == row + 1
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    assert read_tags(said["tags"]) == found
    assert sorted(found.values()) == [("odd", f"row {row}") for row in range(10)]
    with command(["--predictions", str(table), "--out", "looked"], tmp_path) as (_, said):
        held = json.loads(Scripts(Client(said["url"]).get()[1].decode()).elements[0][1])
        assert [item["tags"] for item in held["items"]] == [["odd", f"row {row}"] for row in range(10)]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_an_interruption_says_where_the_tags_are(table, tmp_path):
    with command(["--predictions", str(table), "--out", "looked"], tmp_path) as (process, said):
        Client(said["url"]).post({"row": 0, "tags": ["odd"]})
        process.send_signal(signal.SIGINT)
        rest, complaint = process.communicate(timeout=20)
    assert process.returncode == 0 and rest == "" and "Traceback" not in complaint
    assert "tagged in looked/errors/tags.csv: 1; next: " in complaint
    assert f"dlspec error-analysis --predictions {table} --out looked --tags looked/errors/tags.csv" in complaint


def test_faults_are_said_in_a_sentence(table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def refused(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["error-analysis", "--predictions", str(table), *arguments])
        said = capsys.readouterr().err
        assert ended.value.code == 2 and "Traceback" not in said
        return said

    assert "--out DIR" in refused("--sheet")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refused("--sheet", "--out", "looked", "--port", str(taken.getsockname()[1]))
    assert "give another --port" in said
    (tmp_path / "looked" / "errors").mkdir(parents=True)
    (tmp_path / "looked" / "errors" / "tags.csv").write_text("name\nx\n")
    assert "tags.csv:1: a table of tags has a column 'id'" in refused("--sheet", "--out", "looked")


def test_tables_of_one_name_are_kept_apart_by_a_browser(table, tmp_path):
    (tmp_path / "predictions.csv").write_text(table.read_text().replace("e1,cat,", "e1,dog,"))
    same, again, other = (sheet_of_predictions([str(one)]) for one in (table, table, tmp_path / "predictions.csv"))
    assert same.name == other.name and same.held()["key"] == again.held()["key"] != other.held()["key"]


def test_the_file_is_written_by_the_command(table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["error-analysis", "--predictions", str(table), "--sheet-out", "errors.html", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0 and said["file"] == str(tmp_path / "errors.html") and said["url"] is None
    held = json.loads(Scripts((tmp_path / "errors.html").read_text()).elements[0][1])
    assert held["columns"] == ["remark"] and held["items"][0]["cells"][0].startswith("<b>")


def test_nothing_wrong_is_nothing_to_look_at(tmp_path):
    (tmp_path / "p.csv").write_text("id,truth,guess\na,x,x\nb,y,y\n")
    from dlspec.runs.sheet_made import sheet_of_predictions

    with pytest.raises(ArgumentError, match="dev has no errors"):
        sheet_of_predictions([str(tmp_path / "p.csv")])


def test_a_run_shows_doubted_labels_of_every_split(tmp_path, monkeypatch):
    from small_training import write_rows

    from dlspec.recipe.load import load
    from dlspec.runs.train import train

    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path)
    (tmp_path / "r.yaml").write_text(
        "task: classification\ndata: {name: csv, path: rows.csv, target: y}\nmodel: linear\n"
        "train: {epochs: 2, tensorboard: false}\n"
    )
    run = train(load(tmp_path / "r.yaml")).run
    plain = sheet_of_run(run)
    assert 0 < plain.total == len(plain.items) and plain.columns == ["a", "b", "c"]
    assert plain.next_command().startswith("dlspec error-analysis runs/r/")
    train_part = plain.judged.opened.splits()["train"]
    (run / "errors").mkdir(exist_ok=True)
    (run / "errors" / "relabel.csv").write_text(
        "id,split,label,suggested,probability,new,why\n"
        f"{train_part[0].id},train,{train_part[0].y},{1 - int(train_part[0].y)},0.9,,suspect\n"
    )
    made = sheet_of_run(run)
    (doubted,) = [item for item in made.items if not item["error"]]
    assert (doubted["id"], doubted["split"]) == (train_part[0].id, "train") and doubted["suspect"][
        "probability"
    ] == "0.9"
    with pytest.raises(ValueError, match="no class '7'"):
        made.notes.set_label(doubted["id"], "7", split="train", given=doubted["given"])
    made.notes.set_label(doubted["id"], doubted["suspect"]["suggested"], split="train", given=doubted["given"])
    assert "--relabel runs/r/" in made.ends()
