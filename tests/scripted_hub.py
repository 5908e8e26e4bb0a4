"""A small Hub of our own: it speaks as much of the Hub's language as fetching a model needs."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c" * 40


@dataclass
class ScriptedHub:
    """Models by Hub id, each a mapping of file names to contents; and what was asked of it.

    `breaks`: the line breaks once, after so many bytes of weights. `refusal`: the error code that
    files are refused with. `damage`: weights arrive with a wrong byte.
    """

    models: Mapping[str, Mapping[str, bytes]]
    breaks: int | None = None
    refusal: str | None = None
    damage: bool = False
    sizes: dict[str, int] = field(default_factory=dict)  # that it claims
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # file and range
    url: str = ""
    go: threading.Event | None = None  # weights come when it is set

    def weights_asked(self) -> list[str | None]:
        """The ranges of weights that somebody began to download."""
        return [part for name, part in self.asked if name.endswith(".safetensors")]


@contextmanager
def served(hub: ScriptedHub) -> Iterator[ScriptedHub]:
    """Answer on a port of this machine for as long as the test takes."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/api/models/"):
                return self.describe(path.removeprefix("/api/models/"))
            hub_id, _, rest = path[1:].partition("/resolve/")
            name = rest.partition("/")[2]
            content = hub.models.get(hub_id, {}).get(name)
            if hub.refusal or content is None:
                return self.refuse(hub.refusal or "EntryNotFound")
            self.give(name, content, body=body)

        def describe(self, hub_id: str) -> None:
            if hub_id not in hub.models:
                return self.refuse("RepoNotFound")
            siblings = [
                {
                    "rfilename": name,
                    "size": hub.sizes.get(name, len(content)),
                    "blobId": git(content),
                    **({"lfs": large(content, hub.sizes.get(name))} if weights(name) else {}),
                }
                for name, content in hub.models[hub_id].items()
            ]
            told = json.dumps({"id": hub_id, "sha": COMMIT, "siblings": siblings}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def refuse(self, code: str) -> None:
            self.send_response({"GatedRepo": 403, "RepoNotFound": 401}.get(code, 404))
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def give(self, name: str, content: bytes, *, body: bool) -> None:
            asked = self.headers.get("Range")
            if body:
                hub.asked.append((name, asked))
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            etag = hashlib.sha256(content).hexdigest() if weights(name) else git(content)
            self.send_response(206 if asked else 200)
            self.send_header("ETag", f'"{etag}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if not body:
                return
            if hub.go and weights(name):
                hub.go.wait(20)
            if hub.damage and weights(name):
                content = b"?" + content[1:]
            if hub.breaks is not None and weights(name):
                self.wfile.write(content[start : start + hub.breaks])
                hub.breaks = None
                self.close_connection = True
                return
            self.wfile.write(content[start:])

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of who hangs up in the middle."""

    server = Server(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def weights(name: str) -> bool:
    return name.endswith((".safetensors", ".bin", ".gguf"))


def git(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def large(content: bytes, claimed: int | None) -> dict[str, object]:
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": claimed or len(content),
        "pointerSize": 130,
    }
