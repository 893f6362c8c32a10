"""The server of a sheet: who is let in, and what is on disk when it answers."""

import csv
import socket

import drawn_sheet
import pytest
from drawn_sheet import Client

from dlspec.data import corrections
from dlspec.data.tag_table import read_tags
from dlspec.runs.sheet_server import MOST_BYTES, TOKEN, serving


@pytest.fixture
def sheet(tmp_path):
    return drawn_sheet.sheet(tmp_path)


@pytest.fixture
def client(sheet):
    with serving(sheet) as address:
        assert address.startswith("http://127.0.0.1:")
        yield Client(address)


def test_page_and_pictures_are_given_to_who_knows_the_address(client):
    status, html, headers = client.get()
    assert status == 200 and b"Errors on dev" in html
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert not [name for name in headers if name.lower().startswith("access-control")]
    for size in ("small", "large"):
        status, picture, headers = client.get(f"{size}/3")
        assert status == 200 and headers["Content-Type"] == "image/png" and picture.startswith(b"\x89PNG")
    assert client.get(headers={"Host": f"localhost:{client.port}"})[0] == 200


def test_nobody_else_is_let_in(client):
    token = client.token
    for path in ("/", "/small/0", f"/{token[:-1]}/", f"/{token}x/", "/x/", f"http://evil/{token}/", "/%C3%A9/"):
        assert client.send("GET", path, client.own)[0] == 403, path
    port = client.port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1.evil:{port}"):
        assert client.get(headers={"Host": host})[0] == 403, host
    assert client.get(headers={})[0] == 403
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "HEAD"):
        status, _, headers = client.send(method, f"/{token}/", client.asks)
        assert status == 403 and "Access-Control-Allow-Origin" not in headers, method


def test_two_hosts_are_none(client):
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as wire:
        host = client.own["Host"]
        wire.sendall(f"GET /{client.token}/ HTTP/1.1\r\nHost: {host}\r\nHost: evil\r\n\r\n".encode())
        assert wire.recv(100).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    "path",
    ["small/30", "small/-1", "small/99999999999999999999", "small/x", "small/²", "../tags.csv",
     "small/../../etc/passwd", "..%2f..%2fetc%2fpasswd", "small/1/2", "tags.csv",
     "errors/tags.csv", "note", "/etc/passwd", "small//0"],
)  # fmt: skip
def test_there_is_nothing_but_pictures(client, path):
    assert client.get(path.replace("²", "%C2%B2"))[0] == 404


def test_tags_are_taken_from_the_own_page_alone(client, sheet):
    said = {"row": 0, "tags": ["blurry"]}
    refused = [
        {name: value for name, value in client.asks.items() if name != "Origin"},
        {name: value for name, value in client.asks.items() if name != TOKEN},
        {**client.asks, "Origin": "http://evil.example"},
        {**client.asks, "Origin": "null"},
        {**client.asks, "Origin": f"https://127.0.0.1:{client.port}"},
        {**client.asks, TOKEN: "guess"},
        {**client.asks, "Host": "evil.example"},
    ]
    for headers in refused:
        assert client.post(said, headers)[0] == 403, headers
    assert not sheet.notes.tags_file.exists()
    assert client.post(said) == (200, {"tags": ["blurry"]})
    assert read_tags(sheet.notes.tags_file) == {sheet.items[0]["id"]: ("blurry",)}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"\xff", 400), (b"[" * 60_000, 400),
        ({"row": 30, "tags": []}, 400), ({"row": -1, "tags": []}, 400), ({"row": "0", "tags": []}, 400),
        ({"row": True, "tags": []}, 400), ({"row": 0}, 400), ({"row": 0, "tags": "x"}, 400),
        ({"row": 0, "tags": [1]}, 400),
        ({"row": 0, "tags": ["x" * 81]}, 400), ({"row": 0, "tags": [str(i) for i in range(51)]}, 400),
        ({"row": 0, "tags": [], "label": ""}, 400), ({"row": 0, "label": 3}, 400), ({"row": 0, "label": "dgo"}, 400),
        ({"row": 0, "tags": ["x" * MOST_BYTES]}, 413),
    ],
)  # fmt: skip
def test_what_is_no_tag_is_refused(client, sheet, said, status):
    answered, body = client.post(said)
    assert answered == status and isinstance(body["error"], str) and body["error"]
    assert not sheet.notes.tags_file.exists() and not sheet.notes.relabel_file.exists()


def test_a_body_without_an_end_is_not_read(client):
    for headers in ({"Transfer-Encoding": "chunked"}, {"Content-Length": "-1"}, {"Content-Length": "9" * 5000}):
        status, _, _ = client.send("POST", f"/{client.token}/note", {**client.asks, **headers})
        assert status in (411, 413)


def test_tags_are_written_again_with_what_was_written_elsewhere(client, sheet):
    mine, other = sheet.items[1]["id"], sheet.items[2]["id"]
    assert client.post({"row": 1, "tags": ["dark", "dark", " cut  off; left "]})[1] == {
        "tags": ["dark", "cut off, left"]
    }
    with open(sheet.notes.tags_file, "a", newline="") as text:
        csv.writer(text).writerows([[other, "blurry"], ["of another split", "odd"]])
    assert client.post({"row": 0, "tags": ["=1+1"]})[0] == 200
    found = read_tags(sheet.notes.tags_file)
    assert found == {
        mine: ("dark", "cut off, left"), other: ("blurry",), "of another split": ("odd",),
        sheet.items[0]["id"]: ("=1+1",),
    }  # fmt: skip
    held = sheet.held()
    assert held["items"][2]["tags"] == ("blurry",) and held["others"] == [["of another split", ("odd",)]]
    assert client.post({"row": 1, "tags": []})[0] == 200
    assert mine not in read_tags(sheet.notes.tags_file)


def test_a_table_that_became_unreadable_is_not_written_over(client, sheet):
    client.post({"row": 1, "tags": ["dark"]})
    sheet.notes.tags_file.write_text("name,tags\na,b\n")
    status, said = client.post({"row": 0, "tags": ["x"]})
    assert status == 409 and "tags.csv" in said["error"]
    assert sheet.notes.tags_file.read_text() == "name,tags\na,b\n"


def test_right_labels_go_to_relabel(client, sheet):
    name, given = sheet.items[4]["id"], sheet.items[4]["given"]
    status, said = client.post({"row": 4, "label": "dgo"})
    assert status == 400 and "did you mean 'dog'" in said["error"]
    assert client.post({"row": 4, "label": " dog "}) == (200, {"label": "dog"})
    assert corrections.read(str(sheet.notes.relabel_file)) == {corrections.Spot(name): "dog"}
    with open(sheet.notes.relabel_file, newline="") as text:
        (row,) = csv.DictReader(text)
    assert (row["id"], row["split"], row["label"], row["new"]) == (name, "dev", given, "dog")
    assert sheet.held()["items"][4]["label"] == "dog"
    client.post({"row": 4, "label": ""})
    assert corrections.read(str(sheet.notes.relabel_file)) == {}
