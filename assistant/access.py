"""Who may open the workbench: anyone on this machine, or whoever logs in."""

import asyncio
import hmac
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from trainer.errors import AccessError

_BCRYPT = r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}"

Login = Callable[[str, str], bool]
GUESSES = 10  # at one login, a minute


def login_for(
    host: str, auth_file: Path | None, environment: Mapping[str, str], *, public: bool = False
) -> Login | None:
    """The login check for a bind address; None for this machine alone.

    Raises `AccessError` without a login for any other address, and where links lead here from
    elsewhere (`public`).
    """
    if auth_file is not None:
        return login_of(read_people(auth_file))
    user, password = environment.get("TANDEM_USER", ""), environment.get("TANDEM_PASSWORD", "")
    if user and password:

        def check(given_user: str, given_password: str) -> bool:
            right_user = hmac.compare_digest(_bytes(given_user), _bytes(user))
            return right_user & hmac.compare_digest(_bytes(given_password), _bytes(password))

        return check
    if user or password:
        raise AccessError("TANDEM_USER and TANDEM_PASSWORD go together; one of them is not set.")
    if public or not is_loopback(host):
        where = f"Serving on {host}" if not is_loopback(host) else "A way in from elsewhere"
        raise AccessError(
            f"{where} needs a login. Set TANDEM_USER and TANDEM_PASSWORD, or give "
            "--auth-file with lines that `tandem password USER` prints."
        )
    return None


def password_line(user: str, password: str) -> str:
    """One line for an auth file, in the form of Apache's htpasswd: the user and a bcrypt hash."""
    if not user.isprintable() or not user or ":" in user or not password:
        raise AccessError("A user needs a plain name without ':', and a password.")
    return f"{user}:{hash_password(password)}"


def hash_password(password: str) -> str:
    """What may be kept of a password."""
    import bcrypt  # noqa: PLC0415 - only where someone logs in

    return bcrypt.hashpw(_cut(password), bcrypt.gensalt()).decode()


def is_password(password: str, hashed: str) -> bool:
    """Whether a password is the one that was hashed; it takes a fifth of a second either way."""
    import bcrypt  # noqa: PLC0415 - as above

    return bcrypt.checkpw(_cut(password), hashed.encode())


def read_people(auth_file: Path) -> tuple[str, ...]:
    """The lines of an auth file, checked; raises `AccessError`."""
    try:
        lines = auth_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"The login file {auth_file} cannot be read: {error}.") from None
    people = list[str]()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        user, _, hashed = line.strip().partition(":")
        if not user or not re.fullmatch(_BCRYPT, hashed):
            raise AccessError(
                f"{auth_file}, line {number} is not 'user:bcrypt hash'. "
                "Make it with `tandem password USER`."
            )
        people.append(line.strip())
    if not people:
        raise AccessError(f"{auth_file} names no user. Add one with `tandem password USER`.")
    return tuple(people)


def login_of(people: Sequence[str]) -> Login:
    """The login check for lines of an auth file."""
    hashes = dict(line.split(":", 1) for line in people)
    nobody = hash_password("nobody")  # an unknown user takes as long as a known one

    def check(user: str, password: str) -> bool:
        return is_password(password, hashes.get(user, nobody)) and user in hashes

    return check


def slowed(login: Login) -> Callable[[str, str], Awaitable[bool]]:
    """The same check, with no more than a few guesses a minute, and no others waiting for it.

    Beyond that it says no, whether the password is right or not.
    """
    from limits import RateLimitItemPerMinute  # noqa: PLC0415 - only where someone logs in
    from limits.storage import MemoryStorage  # noqa: PLC0415 - as above
    from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415 - as above

    window = MovingWindowRateLimiter(MemoryStorage())
    of_one, of_all = RateLimitItemPerMinute(GUESSES), RateLimitItemPerMinute(10 * GUESSES)

    async def check(user: str, password: str) -> bool:
        if not (window.hit(of_one, user) and window.hit(of_all)):
            return False
        return await asyncio.to_thread(login, user, password)

    return check


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _cut(password: str) -> bytes:
    return _bytes(password)[:72]  # all that bcrypt reads; newer versions refuse more


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
