"""The server of a sheet: this machine alone, and of it only who has the token that stands in the address."""

from __future__ import annotations

import contextlib
import functools
import hmac
import json
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dlspec.report.sheet import page, policy
from dlspec.runs.interruption import until_stopped, wait_for
from dlspec.runs.sheet import Sheet
from dlspec.types import ArgumentError, UserError

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""what a browser on this machine may call us; any other name is that of a stranger's page (DNS rebinding)"""
MOST_BYTES = 64_000
"""of what is sent to us"""
IDLE_SECONDS = 60.0
KEPT = 3_000
"""small pictures kept in memory"""
TOKEN = "X-Sheet-Token"


@contextlib.contextmanager
def serving(sheet: Sheet, port: int | None = None) -> Iterator[str]:
    """The sheet at an address, which is given, inside the `with` block, in threads of this process.

    port: left out: one that is free.  Raises ArgumentError where it cannot be had.
    """
    try:
        server = _Server((HOST, port or 0), _Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArgumentError(f"no sheet at {HOST}:{port or 0}: {reason}; give another --port, or leave it out") from None
    server.take(sheet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/{server.token}/"
    finally:
        server.shutdown()
        server.server_close()
        server.hang_up()
        thread.join()


def serve(sheet: Sheet, *, port: int | None = None, ready: Callable[[str], None]) -> None:
    """The same until Ctrl-C (or SIGTERM) comes; `ready` is told the address once it answers."""
    with until_stopped() as over, serving(sheet, port) as address:
        ready(address)
        wait_for(over)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = sys.platform != "win32"  # there it would let two programs have one port

    def take(self, sheet: Sheet) -> None:
        """Show this sheet."""
        self.sheet, self.token = sheet, secrets.token_urlsafe(24)
        port = self.server_address[1]
        self.hosts = {f"{name}:{port}" for name in NAMES} | ({*NAMES} if port == 80 else set())
        self.lines: set[socket.socket] = set()
        self.small = functools.lru_cache(maxsize=KEPT)(sheet.picture)

    def hang_up(self) -> None:
        """End the connections that browsers keep open: nothing is answered from now on."""
        for line in list(self.lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that leaves in the middle of an answer is nothing to speak of; what is our fault is said."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            print(f"the sheet could not answer: {type(error).__name__}: {error}", file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "dlspec", ""
    timeout = IDLE_SECONDS

    def setup(self) -> None:
        super().setup()
        self.server.lines.add(self.connection)

    def finish(self) -> None:
        self.server.lines.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        words = self._words()
        if words is None:
            self._refuse()
        elif words == [""]:
            html = page(self.server.sheet.held(self.server.token)).encode()
            self._answer(html, "text/html; charset=utf-8", {"Content-Security-Policy": self._policy()})
        elif len(words) == 2 and words[0] in ("small", "large") and words[1].isascii() and words[1].isdigit():
            self._picture(int(words[1]), large=words[0] == "large")
        else:
            self._say(HTTPStatus.NOT_FOUND, "there is nothing here")

    def do_POST(self) -> None:
        words = self._words()
        token, origin = self.headers.get(TOKEN, ""), self.headers.get("Origin", "")
        known = {f"http://{host}" for host in self.server.hosts}
        if words is None or not _same(token, self.server.token) or origin not in known:
            self._refuse()
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._say(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing", close=True)
        elif int(length[:12]) > MOST_BYTES:
            self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BYTES} bytes are taken", close=True)
        elif words != ["note"]:
            self._say(HTTPStatus.NOT_FOUND, "there is nothing here", close=True)
        else:
            self._note(self.rfile.read(int(length)))

    def _refuse(self) -> None:
        self._say(HTTPStatus.FORBIDDEN, "the whole address is needed, as the terminal shows it", close=True)

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _refuse  # noqa: N815

    def _words(self) -> list[str] | None:
        """The path behind the token, in parts; None where Host or token are not ours."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0] not in self.server.hosts or not self.path.startswith("/"):
            return None
        token, *rest = self.path.partition("?")[0][1:].split("/")
        return rest if _same(token, self.server.token) else None

    def _policy(self) -> str:
        return f"{policy(served=True)}; frame-ancestors 'none'"

    def _picture(self, row: int, *, large: bool) -> None:
        sheet = self.server.sheet
        try:
            kind, picture = sheet.picture(row, large=True) if large else self.server.small(row)
        except (UserError, IndexError):
            self._say(HTTPStatus.NOT_FOUND, "there is no such picture, or it cannot be read any more")
        else:
            self._answer(picture, kind, {"Cache-Control": "private, max-age=86400"})

    def _note(self, body: bytes) -> None:
        """Take the tags, or the right label, of one example."""
        try:
            said = json.loads(body)
            row, tags, label = said["row"], said.get("tags"), said.get("label")
            if type(row) is not int or not 0 <= row < len(self.server.sheet.items):
                raise ValueError("there is no such example")
            if (tags is None) == (label is None) or not isinstance(label, str | None):
                raise ValueError("either tags or a label is given")
            if tags is not None and not (isinstance(tags, list) and all(isinstance(one, str) for one in tags)):
                raise ValueError("tags are a list of texts")
            self._keep(row, tags, label)
        except UserError as error:
            self._say(HTTPStatus.CONFLICT, str(error))
        except OSError as error:
            self._say(HTTPStatus.INSUFFICIENT_STORAGE, f"cannot be written: {error.strerror}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self._say(HTTPStatus.BAD_REQUEST, str(error) if isinstance(error, ValueError) else "row, tags or label")

    def _keep(self, row: int, tags: list[str] | None, label: str | None) -> None:
        sheet, item = self.server.sheet, self.server.sheet.items[row]
        assert sheet.notes is not None
        if tags is not None:
            kept: dict[str, Any] = {"tags": sheet.notes.set_tags(item["id"], tags)}
        else:
            written = sheet.notes.set_label(item["id"], label or "", split=item["split"], given=item["given"])
            kept = {"label": written}
        self._answer(json.dumps(kept).encode(), "application/json", {})

    def _say(self, status: HTTPStatus, sentence: str, *, close: bool = False) -> None:
        self.close_connection = self.close_connection or close
        more = {"Connection": "close"} if close else {}
        self._answer(json.dumps({"error": sentence}).encode(), "application/json", more, status)

    def _answer(self, body: bytes, kind: str, more: dict[str, str], status: HTTPStatus = HTTPStatus.OK) -> None:
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            **more,
        }
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is said of single requests."""


def _same(given: str, own: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), own.encode())
