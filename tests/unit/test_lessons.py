"""Open questions that were answered become a version of the corpus, once."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.lessons import learn, open_questions, teach
from assistant.store import OpenQuestion, Store
from trainer.corpus.examples import Example
from trainer.corpus.library import Corpora, Corpus
from trainer.corpus.near import Judge
from trainer.errors import CorpusError, NotFound
from trainer.locks import Lock

WRONG = "May I return item 3?"  # one of three wordings with one answer


@pytest.fixture
def store(workspace: Path) -> Store:
    return Store.in_workspace(workspace)


def noted(store: Store, question: str, answer: str = "", corpus: str = "returns") -> OpenQuestion:
    found = OpenQuestion(corpus=corpus, question=question, why="far", said="", answer=answer)
    return store.note(found)


def answers(examples: tuple[Example, ...]) -> dict[str, str]:
    return {example.question: example.answer for example in examples}


def test_all_answers_become_one_version_and_leave_the_list(
    store: Store, corpora: Corpora, corpus: Corpus
) -> None:
    noted(store, "Do you ship to Mars?", "Not yet.")
    noted(store, "Are you open on Sundays?", " Never. ")
    noted(store, "Who are you?")
    taught = teach(store, corpora, "returns")
    assert taught.label == "returns@2"
    assert taught.origin.change == "answered in the chat: 2 added"
    now = answers(taught.examples)
    assert (now["Do you ship to Mars?"], now["Are you open on Sundays?"]) == ("Not yet.", "Never.")
    assert taught.examples[: len(corpus.examples)] == corpus.examples
    assert {e.id for e in taught.examples} == set(taught.split.side_of())
    assert [q.question for q in store.open_questions("returns")] == ["Who are you?"]


def test_a_question_that_is_there_gets_the_answer_instead_of_a_second_one(
    store: Store, corpora: Corpora, corpus: Corpus
) -> None:
    before = answers(corpus.examples)
    noted(store, "may I return  ITEM 3", "Item 3 may never come back.")
    taught = teach(store, corpora, "returns")
    changed = {q: a for q, a in answers(taught.examples).items() if before.get(q) != a}
    assert changed == {WRONG: "Item 3 may never come back."}
    assert len(taught.examples) == len(corpus.examples)
    assert [e.topic for e in taught.examples] == [e.topic for e in corpus.examples]
    assert taught.origin.change == (
        "answered in the chat: 1 corrected; 2 more keep an answer that was corrected"
    )


def test_a_correction_of_one_sign_is_one(corpus: Corpus) -> None:
    right = answers(corpus.examples)[WRONG].removesuffix(".") + "!"
    asked = OpenQuestion(corpus="returns", question=WRONG, why="flagged", said="", answer=right)
    lesson = learn(corpus, [asked])
    assert (lesson.added, lesson.corrected, lesson.others) == (0, 1, 2)
    assert answers(lesson.examples)[WRONG] == right


def test_the_newest_version_is_the_one_that_learns(
    store: Store, corpora: Corpora, corpus: Corpus
) -> None:
    corpora.revise(corpus, corpus.examples[:30])
    noted(store, "Do you ship to Mars?", "Not yet.")
    taught = teach(store, corpora, "returns@1")
    assert (taught.version, len(taught.examples)) == (3, 31)


def test_nothing_to_teach_is_said_and_makes_no_version(
    store: Store, corpora: Corpora, corpus: Corpus
) -> None:
    noted(store, "Do you ship to Mars?")
    with pytest.raises(CorpusError, match="No open question of 'returns' has an answer"):
        teach(store, corpora, "returns")
    with pytest.raises(NotFound):
        teach(store, corpora, "elsewhere")
    assert corpora.get("returns") == corpus


def test_a_crash_before_the_list_was_cleared_teaches_nothing_twice(
    store: Store, corpora: Corpora, corpus: Corpus
) -> None:
    question = noted(store, "Do you ship to Mars?", "Not yet.")
    corpora.revise(corpus, learn(corpus, [question]).examples)
    assert teach(store, corpora, "returns").version == 2
    assert not store.open_questions("returns")
    assert len(corpora.versions("returns")) == 2


def test_two_who_press_at_once_make_one_version(
    store: Store, workspace: Path, corpus: Corpus
) -> None:
    noted(store, "Do you ship to Mars?", "Not yet.")
    begun, go_on = threading.Event(), threading.Event()

    def slow_judge() -> Judge | None:
        begun.set()
        assert go_on.wait(20)
        return None

    slow = Corpora(workspace / "corpora", slow_judge)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(teach, store, slow, "returns")
        assert begun.wait(20)
        with pytest.raises(CorpusError, match="Somebody is adding answers to 'returns' right now"):
            teach(store, Corpora(workspace / "corpora"), "returns")
        go_on.set()
        assert first.result().version == 2
    assert len(slow.versions("returns")) == 2
    assert not Lock(corpus.path.parent / "lessons.lock").held


def test_an_answer_changed_while_the_version_is_made_stays_on_the_list(
    store: Store, workspace: Path, corpus: Corpus
) -> None:
    question = noted(store, "Do you ship to Mars?", "Not yet.")

    def judge() -> Judge | None:
        store.answer(question.id, "Since May.")
        return None

    assert teach(store, Corpora(workspace / "corpora", judge), "returns").version == 2
    assert [q.answer for q in store.open_questions("returns")] == ["Since May."]
    after = teach(store, Corpora(workspace / "corpora"), "returns")
    assert answers(after.examples)["Do you ship to Mars?"] == "Since May."


def test_questions_noted_under_an_old_name_of_the_corpus_are_its_own(
    store: Store, corpora: Corpora, corpus: Corpus
) -> None:
    noted(store, "Do you ship to Mars?", "Not yet.")
    corpora.rename("returns", "shop")
    noted(store, "Who are you?", "A shop.", corpus="shop")
    asked = {q.question for q in open_questions(store, corpora, "shop")}
    assert asked == {"Do you ship to Mars?", "Who are you?"}
    assert teach(store, corpora, "shop").origin.change.endswith("2 added")


def test_where_answers_are_labels_an_answer_is_one_of_them(
    store: Store, corpora: Corpora, corpus: Corpus
) -> None:
    file = corpus.path / "corpus.json"
    file.write_text(corpus.origin.model_copy(update={"task": "labels"}).model_dump_json())
    shutil.copytree(corpus.path.parent, corpora.root / "labelled")
    wrong = noted(store, "Do you ship to Mars?", "Not yet.", corpus="labelled")
    with pytest.raises(CorpusError, match=r"are labels, and 'Not yet\.' is none of them"):
        teach(store, corpora, "labelled")
    store.answer(wrong.id, "item 3 may come back within 3 DAYS")
    taught = teach(store, corpora, "labelled")
    assert taught.examples[-1].answer == "Item 3 may come back within 3 days."
