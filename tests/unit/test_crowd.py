"""Many who ask at once: one fair line, answered in batches, and nobody gets another's answer."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from assistant.conversation import Answer, Asked, ChatSettings, Side
from assistant.crowd import Crowd
from tests.chats import BASE, OTHER, TUNED, reply
from tests.conftest import wait_until
from trainer.errors import DeviceBusy, ModelError


class Batches:
    """A chat that says a question again in two words, batch by batch, whenever a test lets it."""

    def __init__(self) -> None:
        self.heard: list[list[str]] = []
        self.ready = threading.Semaphore(0)
        self.over: list[threading.Event] = []

    def answer(self, asked: Sequence[Asked], stop: threading.Event) -> Iterator[tuple[Answer, ...]]:
        self.heard.append([question(one) for one in asked])
        self.over.append(stop)
        assert self.ready.acquire(timeout=20)
        if len({one.side.base for one in asked}) > 1:
            raise AssertionError("two bases in one batch")
        for one in asked:
            if question(one) == "too long":
                raise ModelError("The conversation is too long.")
            if question(one) == "busy":
                raise DeviceBusy("A run has the GPU.")
        yield tuple(Answer("You") for _ in asked)
        yield tuple(
            Answer(f"You asked {question(one)}", reply("", one.side, tokens=3).proof)
            if question(one) != "long"
            else Answer("You asked")
            for one in asked
        )
        if any(question(one) == "long" for one in asked):
            assert self.ready.acquire(timeout=20)
            yield tuple(
                Answer(f"You asked {question(one)}", reply("", one.side).proof) for one in asked
            )


def question(asked: Asked) -> str:
    return asked.messages[-1]["content"]


class Visitor:
    """Whoever asks in a thread of their own."""

    def __init__(self, crowd: Crowd, *asked: str, sides: Sequence[Side] = (TUNED,)) -> None:
        self.stop, self.seen = threading.Event(), list[tuple[Answer, ...]]()
        self.error: Exception | None = None
        asks = [
            Asked(side, [{"role": "user", "content": text}], ChatSettings())
            for side, text in zip(sides, asked, strict=True)
        ]

        def read() -> None:
            try:
                for step in crowd.answer(asks, self.stop):
                    self.seen.append(step)
            except Exception as error:
                self.error = error

        self.thread = threading.Thread(target=read, daemon=True)
        self.thread.start()

    def join(self) -> "Visitor":
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self

    @property
    def said(self) -> list[str]:
        assert self.error is None
        assert all(answer.proof for answer in self.seen[-1])
        return [answer.text for answer in self.seen[-1]]

    @property
    def doing(self) -> str:
        return self.seen[-1][0].doing if self.seen else ""


@pytest.fixture
def chat() -> Batches:
    return Batches()


@pytest.fixture
def come(chat: Batches) -> Callable[..., Visitor]:
    """Let visitors come to a crowd of at most three answers a batch, one after another."""
    crowd, before = Crowd(chat, most=3, longest=5), list[Visitor]()

    def one_more(*asked: str, sides: Sequence[Side] = (TUNED,)) -> Visitor:
        visitor = Visitor(crowd, *asked, sides=sides)
        before.append(visitor)
        wait_until(lambda: chat.heard if len(before) == 1 else visitor.doing or visitor.error)
        return visitor

    return one_more


def test_whoever_waits_is_answered_with_others_in_the_order_of_coming(chat, come) -> None:
    visitors = [come(f"{n}") for n in range(6)]
    assert visitors[3].doing == "waiting: 3 questions are before this one"
    chat.ready.release(3)
    assert [one.join().said for one in visitors] == [[f"You asked {n}"] for n in range(6)]
    assert chat.heard == [["0"], ["1", "2", "3"], ["4", "5"]]


def test_the_columns_of_a_visitor_stay_together(chat, come) -> None:
    come("first")
    two = [come(f"{n}", f"{n}", sides=(BASE, TUNED)) for n in range(2)]
    chat.ready.release(3)
    assert [one.join().said for one in two] == [[f"You asked {n}"] * 2 for n in range(2)]
    assert chat.heard == [["first"], ["0", "0"], ["1", "1"]], "four do not fit in a batch of three"


def test_different_runs_share_a_batch_and_different_bases_do_not(chat, come) -> None:
    elsewhere = Side(base="another/base")
    come("first")
    for text, side in (("a", TUNED), ("b", elsewhere), ("c", OTHER), ("d", elsewhere)):
        come(text, sides=(side,))
    chat.ready.release(3)
    wait_until(lambda: len(chat.heard) == 3)
    assert chat.heard == [["first"], ["a", "c"], ["b", "d"]]


def test_whoever_leaves_the_line_is_not_answered_and_the_others_move_up(chat, come) -> None:
    come("first")
    leaving, staying = come("leaving"), come("staying")
    assert staying.doing == "waiting: 2 questions are before this one"
    leaving.stop.set()
    leaving.join()
    assert leaving.doing.startswith("waiting"), "and nothing was said"
    wait_until(lambda: staying.doing == "waiting: one question is before this one")
    chat.ready.release(2)
    assert staying.join().said == ["You asked staying"]
    assert chat.heard == [["first"], ["staying"]]


def test_a_reader_who_closes_in_the_line_is_dropped(chat, come) -> None:
    crowd = Crowd(chat)
    first = Visitor(crowd, "first")
    wait_until(lambda: chat.heard)
    asks = [Asked(TUNED, [{"role": "user", "content": "gone"}], ChatSettings())]
    reading = crowd.answer(asks, threading.Event())
    assert next(reading)[0].doing == "waiting: one question is before this one"
    reading.close()
    last = Visitor(crowd, "last")
    wait_until(lambda: last.doing)
    chat.ready.release(2)
    assert (first.join().said, last.join().said) == (["You asked first"], ["You asked last"])
    assert chat.heard == [["first"], ["last"]]


def test_a_question_that_is_refused_takes_nobody_else_down(chat, come) -> None:
    come("first")
    one, refused, other = come("one"), come("too long"), come("other")
    chat.ready.release(5)
    assert (one.join().said, other.join().said) == (["You asked one"], ["You asked other"])
    assert str(refused.join().error) == "The conversation is too long."
    assert chat.heard[1:] == [["one", "too long", "other"], ["one"], ["too long"], ["other"]]


def test_what_refuses_all_is_told_to_all_at_once(chat, come) -> None:
    come("first")
    visitors = [come("busy"), come("one")]
    chat.ready.release(2)
    assert [str(one.join().error) for one in visitors] == ["A run has the GPU."] * 2
    assert len(chat.heard) == 2


def test_a_short_answer_does_not_wait_for_the_long_one_beside_it(chat, come) -> None:
    come("first")
    long, short = come("long"), come("short")
    chat.ready.release(2)
    assert short.join().said == ["You asked short"]
    assert long.thread.is_alive()
    chat.ready.release()
    assert long.join().said == ["You asked long"]


def test_a_batch_that_nobody_reads_any_more_is_stopped(chat, come) -> None:
    come("first")
    long, short = come("long"), come("short")
    chat.ready.release()
    wait_until(lambda: len(chat.over) == 2)
    long.stop.set()
    chat.ready.release()
    short.join()
    wait_until(chat.over[1].is_set)
    chat.ready.release()
    long.join()


def test_the_time_in_the_line_is_part_of_the_proof(chat, come) -> None:
    come("first")
    second = come("second")
    threading.Event().wait(0.3)
    chat.ready.release(2)
    (answer,) = second.join().seen[-1]
    assert answer.proof
    assert answer.proof.waited >= 0.3


def test_a_line_that_is_too_long_refuses_in_words(chat, come) -> None:
    for n in range(6):
        come(f"{n}")
    seventh = come("6").join()
    assert isinstance(seventh.error, DeviceBusy)
    assert str(seventh.error) == "5 questions wait already. Ask again in a few minutes."
    chat.ready.release(3)
