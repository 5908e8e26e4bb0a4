"""A way in from everywhere to a port of this machine: Gradio's tunnel, for the hosted app alone."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
from gradio.exceptions import ChecksumMismatchError, ShareCertificateWriteError
from gradio.networking import setup_tunnel
from gradio.tunneling import CURRENT_TUNNELS

from trainer.errors import AccessError


@contextmanager
def tunnel(address: str) -> Iterator[str]:
    """A public address that leads to one of this machine, until the end of the block.

    The tunnel's client comes from the network at its first use. Raises `AccessError`.
    """
    local = urlsplit(address)
    try:
        public = setup_tunnel(
            local.hostname or "127.0.0.1", local.port or 80, secrets.token_urlsafe(32), None, None
        )
    except (
        OSError,
        RuntimeError,
        ValueError,
        httpx.HTTPError,
        ChecksumMismatchError,
        ShareCertificateWriteError,
    ) as error:
        raise AccessError(
            f"No tunnel could be opened ({str(error).splitlines()[0]}). It needs the network: "
            "Gradio's servers, and a client that comes from there at the first use. Without it, "
            "put the page behind a reverse proxy and give its address with --public-url."
        ) from error
    try:
        yield public.replace("http://", "https://", 1)
    finally:
        for opened in CURRENT_TUNNELS:
            opened.kill()
