"""Who may open the workbench."""

import asyncio
from pathlib import Path

import pytest

from assistant.access import GUESSES, login_for, password_line, slowed
from trainer.errors import AccessError


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_this_machine_alone_needs_no_login(host: str) -> None:
    assert login_for(host, None, {}) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_any_other_address_refuses_to_start_without_one(host: str) -> None:
    with pytest.raises(AccessError, match=r"needs a login\. Set TANDEM_USER and TANDEM_PASSWORD"):
        login_for(host, None, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_half_a_login_is_a_mistake(host: str) -> None:
    with pytest.raises(AccessError, match="go together; one of them is not set"):
        login_for(host, None, {"TANDEM_USER": "ada"})


def test_the_environment_can_name_the_login() -> None:
    check = login_for("0.0.0.0", None, {"TANDEM_USER": "ada", "TANDEM_PASSWORD": "würfel"})
    assert check is not None
    assert check("ada", "würfel")
    assert not check("ada", "wurfel")
    assert not check("bob", "würfel")


def test_an_auth_file_holds_hashes_and_lets_the_right_people_in(tmp_path: Path) -> None:
    file = tmp_path / "logins"
    file.write_text("# ours\n" + password_line("ada", "secret") + "\n")
    assert "secret" not in file.read_text()
    check = login_for("0.0.0.0", file, {})
    assert check is not None
    assert check("ada", "secret")
    assert not check("ada", "Secret")
    assert not check("ada", "\ud800")
    assert not check("eve", "secret")
    assert not check("eve", "nobody"), "the hash that unknown users are checked against"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ada:plain\n", "line 1 is not 'user:bcrypt hash'"),
        ("ada:$2b$garbage\n", "line 1 is not 'user:bcrypt hash'"),
        ("\n", "names no user"),
    ],
)
def test_a_bad_auth_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "logins"
    file.write_text(content)
    with pytest.raises(AccessError, match=message):
        login_for("127.0.0.1", file, {})
    with pytest.raises(AccessError, match="cannot be read"):
        login_for("127.0.0.1", tmp_path / "absent", {})


def test_a_login_takes_a_few_guesses_a_minute_and_is_shut_then_to_the_right_one_too() -> None:
    check = slowed(lambda user, password: password == "tulip")

    async def tried() -> list[bool]:
        guesses = [await check("ann", str(n)) for n in range(GUESSES - 1)]
        return [*guesses, await check("ann", "tulip"), await check("ann", "tulip")]

    *guesses, last, beyond = asyncio.run(tried())
    assert (any(guesses), last, beyond) == (False, True, False)
    assert asyncio.run(check("bob", "tulip")), "who is somebody else"
