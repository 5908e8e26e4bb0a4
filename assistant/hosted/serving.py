"""The hosted app on a port of its own, in this process."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import uvicorn
from fastapi import FastAPI

from assistant.access import is_loopback
from trainer.errors import AccessError

FIRST_PORT = 7870
_PORTS = 100
_WAITING = 512  # connections that may wait to be taken


class Hosting:
    """The hosted app of a workspace, served from the first time that somebody needs it."""

    def __init__(
        self,
        build: Callable[[], FastAPI],
        host: str = "127.0.0.1",
        port: int | None = None,
        *,
        public: Callable[[str], AbstractContextManager[str]] = nullcontext,
    ) -> None:
        """Serve nothing yet. `public` makes of the address here the one that visitors are given."""
        self._build, self._host, self._port, self._public = build, host, port, public
        self._address, self._opening, self._served = "", threading.Lock(), ExitStack()

    def address(self) -> str:
        """Where visitors reach the app, which runs from now on. Raises `AccessError`."""
        with self._opening:
            if not self._address:
                with ExitStack() as opened:  # all of it or, where the way in fails, nothing
                    here = opened.enter_context(serving(self._build(), self._host, self._port))
                    self._address = opened.enter_context(self._public(here)).rstrip("/")
                    self._served = opened.pop_all()
            return self._address

    def wait(self) -> None:
        """Wait until somebody interrupts, which is Ctrl-C's `KeyboardInterrupt`."""
        threading.Event().wait()

    def close(self) -> None:
        """End the app; answers that grow have two seconds."""
        with self._opening:
            self._served.close()
            self._address = ""


@contextmanager
def serving(app: FastAPI, host: str, port: int | None = None) -> Iterator[str]:
    """Serve an app in a thread until the end of the block, and hand out its address.

    `port` None takes the first free one from 7870. Raises `AccessError`.
    """
    with _bound(host, port) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            shown = host if is_loopback(host) else socket.gethostname()
            yield f"http://{shown}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _bound(host: str, port: int | None) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tried: OSError | None = None
    for one in [port] if port else range(FIRST_PORT, FIRST_PORT + _PORTS):
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host.strip("[]"), one))
        except OSError as error:
            listening.close()
            tried = error
            continue
        with listening:
            listening.listen(_WAITING)
            yield listening
        return
    raise AccessError(
        f"The bot cannot be served on {host}: {tried}. Choose another --port."
    ) from tried
