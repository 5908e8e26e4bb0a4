"""Sixty-four visitors at once, one copy of the weights: each gets an answer of the run asked."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.conversation import Answer, Asked, ChatSettings, Side
from assistant.conversation import tuned as side_of
from assistant.crowd import Crowd
from assistant.host import ModelHost
from tests.conftest import wait_until
from tests.training.conftest import tune
from trainer.errors import ModelError
from trainer.runs import Run, Runs

pytestmark = pytest.mark.slow

SHORT = ChatSettings(most_new_tokens=12)
QUESTIONS = [f"May I return item {n}?" for n in range(1, 17)]


@pytest.fixture(scope="module")
def sides(tuned: Run, tiny_model: Path) -> list[Side]:
    other = tune(tuned.path.parent.parent, tiny_model, answer="No for {n}")
    return [side_of(tuned), side_of(other)]


@pytest.fixture(scope="module")
def host(tuned: Run) -> ModelHost:
    return ModelHost(Runs(tuned.path.parent))


def drawn(seed: int) -> ChatSettings:
    return ChatSettings(most_new_tokens=12, temperature=2, seed=seed)


def ask(side: Side, question: str, settings: ChatSettings = SHORT) -> Asked:
    return Asked(side, [{"role": "user", "content": question}], settings)


def answer(chat: Crowd | ModelHost, *asked: Asked) -> Sequence[Answer]:
    *_, last = chat.answer(asked, threading.Event())
    return last


class Written:
    """A host whose batches are written down, and held back until a test lets the first one go."""

    def __init__(self, host: ModelHost) -> None:
        self.host, self.batches, self.go = host, list[list[str]](), threading.Event()

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        self.batches.append([str(one.messages[-1]["content"]) for one in asked])
        assert self.go.wait(60)
        yield from self.host.answer(asked, stop)


def test_64_visitors_at_once_each_get_the_answer_of_the_run_they_asked(
    host: ModelHost, sides: list[Side]
) -> None:
    visits = [(sides[n % 2], QUESTIONS[n // 4], drawn(n)) for n in range(64)]
    alone = [answer(host, ask(*visit))[0].text for visit in visits]
    assert len(set(alone)) > 60, "or nobody could tell them apart"
    written = Written(host)
    crowd, got = Crowd(written), dict[int, Answer]()

    def visit(place: int) -> None:
        (got[place],) = answer(crowd, ask(*visits[place]))

    threads = [threading.Thread(target=visit, args=(n,), daemon=True) for n in range(64)]
    for place, thread in enumerate(threads):
        thread.start()
        wait_until(lambda n=place: len(crowd._line) == n and written.batches)
    written.go.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "somebody was dropped"
    assert [got[n].text for n in range(64)] == alone
    for place, (side, _, _) in enumerate(visits):
        proof = got[place].proof
        assert proof
        assert proof.proven
        assert proof.run == side.run
    assert [len(batch) for batch in written.batches] == [1, 32, 31]
    came = [question for batch in written.batches for question in batch]
    assert came == [question for _, question, _ in visits], "first come, first served"


def test_a_question_too_long_for_the_base_is_refused_alone(
    host: ModelHost, sides: list[Side]
) -> None:
    written = Written(host)
    crowd, errors, got = Crowd(written), list[str](), list[str]()

    def visit(question: str) -> None:
        try:
            got.append(answer(crowd, ask(sides[0], question))[0].text)
        except ModelError as error:
            errors.append(str(error))

    asked = [QUESTIONS[0], QUESTIONS[1], "why? " * 200]
    threads = [threading.Thread(target=visit, args=(one,), daemon=True) for one in asked]
    for place, thread in enumerate(threads):
        thread.start()
        wait_until(lambda n=place: len(crowd._line) == n and written.batches)
    written.go.set()
    for thread in threads:
        thread.join(60)
    assert len(got) == 2
    (error,) = errors
    assert "ask a shorter question" in error


def test_one_answer_is_stopped_while_the_one_beside_it_goes_on(
    host: ModelHost, sides: list[Side]
) -> None:
    endless = ChatSettings(most_new_tokens=60, temperature=2, seed=3)
    stop = threading.Event()
    long = ask(sides[0], QUESTIONS[0], endless)
    whole, stopped = answer(host, long)[0], replace(long, stop=stop)
    for last in host.answer([long, stopped], threading.Event()):
        if len(last[1].text) > 4:
            stop.set()
    assert last[0].text == whole.text
    assert last[1].proof
    assert last[1].proof.ended == "stopped"
    assert 0 < last[1].proof.tokens < last[0].proof.tokens
    assert whole.text.startswith(last[1].text)
