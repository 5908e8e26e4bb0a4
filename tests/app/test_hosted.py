"""The bot behind a link, as a visitor's browser reaches it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.access import hash_password, password_line
from assistant.conversation import Answer
from assistant.store import Store
from tests.conftest import ScriptedChat
from tests.links import NUMBERS, SAYS, Hosted, beside, finish
from trainer.errors import ModelError
from trainer.runs import Run, Runs

LOGO = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


@pytest.fixture
def finished(run: Run) -> Run:
    return finish(run)


@pytest.fixture
def hosted(store: Store, runs: Runs) -> Hosted:
    return Hosted(store, runs)


def test_a_visitor_asks_the_bot_of_a_link_and_sees_the_answer_grow(
    hosted: Hosted, finished: Run
) -> None:
    link = hosted.link(finished, look={"title": "Returns"})
    with hosted.visitor(link) as visitor:
        shown = visitor.open().json()
        assert (shown["title"], shown["columns"]) == ("Returns", ["Tuned"])
        assert len(shown["examples"]) == 3, "held-out questions of the corpus"
        lines = visitor.lines("now")
        assert [line["texts"] for line in lines[:2]] == [["Within"], ["Within thirty"]]
        assert lines[-1]["texts"] == ["Within thirty days of now"]
        assert lines[-1]["ended"]
        assert lines[-1]["beside"] == [None]
    assert hosted.links.use(link.id).asked == 1
    assert hosted.store.conversations() == [], "nobody's words are kept"


def test_the_base_answers_beside_it_where_its_owner_wants_that(
    hosted: Hosted, finished: Run
) -> None:
    with hosted.visitor(hosted.link(finished, with_base=True)) as visitor:
        assert visitor.open().json()["columns"] == ["Base model", "Tuned"]
        assert visitor.lines("now")[-1]["texts"] == ["Who knows", "Within thirty days of now"]


def test_a_link_that_was_taken_back_opens_nothing_from_then_on(
    hosted: Hosted, finished: Run
) -> None:
    link = hosted.link(finished)
    with hosted.visitor(link) as visitor:
        visitor.open()
        assert visitor.ask().status_code == 200
        hosted.links.revoke(link.id)
        for answer in (visitor.open(), visitor.ask(), visitor.rate("x")):
            assert (answer.status_code, "taken back" in answer.text) == (410, True)


def test_a_link_that_has_run_out_says_so(hosted: Hosted, finished: Run) -> None:
    link = hosted.link(finished)
    old = link.model_copy(update={"id": "old", "expires": datetime.now(UTC) - timedelta(1)})
    with hosted.visitor(hosted.links.add(old)) as visitor:
        assert visitor.open().status_code == 410
        assert "has run out" in visitor.ask().json()["detail"]


@pytest.mark.parametrize("who", ["password", "login"])
def test_a_password_is_asked_for_before_anything_else(
    hosted: Hosted, finished: Run, who: str
) -> None:
    lines = {"people": (password_line("ann", "tulip"),)}
    link = hosted.link(
        finished, **lines if who == "login" else {"password": hash_password("tulip")}
    )
    with hosted.visitor(link) as visitor:
        assert (visitor.open().status_code, visitor.open().json()["needs"]) == (401, who)
        assert visitor.ask().status_code == 401
        assert visitor.enter("rose", "ann").status_code == 403
        assert visitor.ask().status_code == 401
        if who == "login":
            assert visitor.enter("tulip", "bob").status_code == 403
        assert visitor.enter("tulip", "ann").status_code == 204
        assert visitor.open().status_code == 200
        assert visitor.ask().status_code == 200
    with hosted.visitor(hosted.link(finished, password=hash_password("other"))) as elsewhere:
        elsewhere.client.cookies = visitor.client.cookies
        assert elsewhere.ask().status_code == 401, "it let in to one link only"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"per_minute": 2}, "too much at once"),
        ({"per_minute_of_all": 2}, "too much at once"),
        ({"per_day": 2}, "enough for today"),
    ],
)
def test_more_than_a_limit_allows_is_refused_and_counted(
    hosted: Hosted, finished: Run, limits: dict[str, int], said: str
) -> None:
    link = hosted.link(finished, limits=limits)
    with hosted.visitor(link) as visitor:
        visitor.open()
        answers = [visitor.ask() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert said in answers[-1].json()["detail"]
    use = hosted.links.use(link.id)
    assert (use.asked, use.refused) == (2, 1)


def test_another_visitor_is_not_held_up_by_one_who_asked_too_much(
    hosted: Hosted, finished: Run
) -> None:
    link = hosted.link(finished, limits={"per_minute": 1})
    with hosted.visitor(link) as greedy, hosted.visitor(link, "10.0.0.2") as patient:
        greedy.open(), patient.open()
        assert [greedy.ask().status_code for _ in range(2)] == [200, 429]
        assert patient.ask().status_code == 200


def test_a_question_is_checked_before_it_is_asked(hosted: Hosted, finished: Run) -> None:
    with hosted.visitor(hosted.link(finished, limits={"characters": 20})) as visitor:
        visitor.open()
        assert visitor.lines("x" * 21) == [
            {"error": "The question has 21 characters, and at most 20 are read. Shorten it."}
        ]
        assert "no question" in visitor.lines("  ")[0]["error"]
        assert visitor.ask(5).status_code == 422
        assert visitor.ask("x" * 200_000).status_code == 413
    assert hosted.chat.heard == []


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"far": True}, "nothing that was approved is near"),
        ({"similarity": 0.3}, "unlike what was approved"),
        ({"flags": (NUMBERS,)}, "says thirty days, approved: 14 days"),
        ({"asked": "14 days."}, "another answer is approved for a question like yours"),
        ({}, None),
    ],
)
def test_an_answer_that_strays_says_so_and_offers_what_is_approved(
    store: Store, runs: Runs, finished: Run, found: dict[str, object], why: str | None
) -> None:
    hosted = Hosted(store, runs, find=beside(**found))
    for unsure in (True, False):
        link = hosted.link(finished, unsure=unsure)
        with hosted.visitor(link) as visitor:
            visitor.open()
            (beside_it,) = visitor.lines()[-1]["beside"]
        if why and unsure:
            assert why in beside_it["why"]
            asked = "" if "asked" in found else "How long?"
            assert (beside_it["question"], beside_it["answer"]) == (asked, "14 days.")
        else:
            assert beside_it is None
        assert hosted.links.use(link.id).unsure == bool(why and unsure)


def test_a_question_far_from_all_waits_in_the_workbench_without_who_asked(
    store: Store, runs: Runs, finished: Run
) -> None:
    hosted = Hosted(store, runs, find=beside(far=True))
    with hosted.visitor(hosted.link(finished)) as visitor:
        visitor.open()
        visitor.lines("Mail ann@example.com about my canoe")
    (question,) = store.open_questions("returns")
    assert question.why == "far"
    assert "canoe" in question.question
    assert "ann@example.com" not in question.question


def test_a_rating_is_counted_once_and_a_bad_one_waits_in_the_workbench(
    hosted: Hosted, store: Store, finished: Run
) -> None:
    link = hosted.link(finished)
    with hosted.visitor(link) as visitor:
        visitor.open()
        receipt = visitor.lines("my canoe")[-1]["receipt"]
        for good, comment in ((True, ""), (False, ""), (False, "It is 14 days"), (False, "")):
            assert visitor.rate(receipt, good, comment=comment).status_code == 204
        assert visitor.rate(receipt, column=1).status_code == 400
        assert visitor.rate(receipt + "x").status_code == 400
        other = hosted.link(finished)
        with hosted.visitor(other) as elsewhere:
            elsewhere.open()
            assert elsewhere.rate(receipt).status_code == 400, "another link's answer"
    use = hosted.links.use(link.id)
    assert (use.up, use.down) == (0, 1)
    (question,) = store.open_questions("returns")
    assert (question.why, question.asked) == ("rated down", 1)
    assert question.said == "Within thirty days of my canoe"
    assert question.comment == "It is 14 days"


def test_one_visitor_has_one_question_at_a_time_and_leaving_makes_room(
    store: Store, runs: Runs, finished: Run
) -> None:
    slow = ScriptedChat(SAYS, pace=0.2)
    hosted = Hosted(store, runs, slow)
    with hosted.visitor(hosted.link(finished)) as visitor:
        visitor.open()
        first = threading.Thread(target=visitor.ask)
        first.start()
        while not slow.heard:
            pass
        second = visitor.ask()
        assert (second.status_code, "still being answered" in second.text) == (429, True)
        first.join()
        assert visitor.ask().status_code == 200


def test_a_logo_is_a_picture_or_refused(hosted: Hosted, finished: Run) -> None:
    import base64

    from trainer.errors import ConfigError

    look = {"logo": base64.b64encode(LOGO).decode()}
    with hosted.visitor(hosted.link(finished, look=look)) as visitor:
        assert visitor.open().json()["logo"] is True
        answer = visitor.client.get(f"{visitor.path}/logo")
        assert (answer.content, answer.headers["content-type"]) == (LOGO, "image/png")
    for wrong in (b"<svg onload=alert(1)>", b"RIFF1234WAVE"):
        with pytest.raises(ConfigError, match="not a PNG, JPEG or WebP"):
            hosted.link(finished, look={"logo": base64.b64encode(wrong).decode()})


def test_what_goes_wrong_here_names_nothing_of_this_machine_to_visitors(
    store: Store, runs: Runs, finished: Run
) -> None:
    class Broken:
        def answer(self, asked: object, stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
            raise ModelError("/home/secretary/models/x cannot be loaded")
            yield ()

    hosted = Hosted(store, runs, Broken())
    with hosted.visitor(hosted.link(finished)) as visitor:
        visitor.open()
        (line,) = visitor.lines()
    assert "Tell whoever gave you the link" in line["error"]
    assert "secretary" not in line["error"]
