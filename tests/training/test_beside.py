"""The approved answer beside an answer, by the real embedding model."""

from pathlib import Path

import pytest

from assistant.beside import Approved
from trainer.corpus.library import Corpora, Corpus

FAQ = """question,answer
How do I block my card?,Tap Cards and then Block in the app.
My card was stolen,Tap Cards and then Block in the app.
What does a transfer abroad cost?,A transfer abroad costs 12 euros.
How much is it to send money to another country?,A transfer abroad costs 12 euros.
When is the branch open?,The branch is open on weekdays from nine to five.
What are your opening hours?,The branch is open on weekdays from nine to five.
How do I reset my PIN?,You can choose a new PIN at any cash machine.
I forgot my PIN,You can choose a new PIN at any cash machine.
"""


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Approved:
    return Approved.in_workspace(tmp_path_factory.mktemp("meanings"))


@pytest.fixture
def bank(corpora: Corpora, tmp_path: Path) -> Corpus:
    file = tmp_path / "bank.csv"
    file.write_text(FAQ)
    return corpora.add(file)


def test_an_answer_as_approved_stands_beside_itself(approved: Approved, bank: Corpus) -> None:
    found = approved(bank, "card stolen, what now", "Tap Cards and then Block in the app.")
    assert found
    assert found.answer == "Tap Cards and then Block in the app."
    assert found.similarity == pytest.approx(1, abs=1e-3)
    assert (found.flags, found.asked, found.far) == ((), None, False)


def test_another_corpus_of_the_same_name_is_another_one(
    approved: Approved, bank: Corpus, corpora: Corpora, tmp_path: Path
) -> None:
    assert approved(bank, "card stolen, what now", "Tap Cards.")
    corpora.delete("bank")
    (tmp_path / "bank.csv").write_text(FAQ.replace("Tap Cards", "Press Cards"))
    again = corpora.add(tmp_path / "bank.csv")
    assert again.path == bank.path
    found = approved(again, "card stolen, what now", "Tap Cards.")
    assert found
    assert found.answer.startswith("Press Cards")


def test_a_number_that_parts_from_the_approved_one_is_a_sign(
    approved: Approved, bank: Corpus
) -> None:
    found = approved(bank, "price of a transfer abroad?", "A transfer abroad costs 30 euros.")
    assert found
    assert [(flag.said, flag.approved) for flag in found.flags] == [("30 euros", "12 euros")]


def test_a_fluent_answer_to_another_question_is_told(approved: Approved, bank: Corpus) -> None:
    found = approved(bank, "Where can I get a new PIN?", "A transfer abroad costs 12 euros.")
    assert found
    assert found.answer == "A transfer abroad costs 12 euros."
    assert found.asked == "You can choose a new PIN at any cash machine."


@pytest.mark.parametrize(
    ("question", "far"),
    [
        ("What is the capital of France?", True),
        ("Who painted the Mona Lisa?", True),
        ("can you tell me how to block a card", False),
        ("at what time do you open", False),
    ],
)
def test_a_question_that_nothing_approved_is_near_is_far(
    approved: Approved, bank: Corpus, question: str, far: bool
) -> None:
    found = approved(bank, question, "Tap Cards and then Block in the app.")
    assert found
    assert found.far is far
    assert not (far and found.asked), "looking up something far is no help"


def test_labels_and_silence_have_nothing_beside_them(
    approved: Approved, corpora: Corpora, bank: Corpus, tmp_path: Path
) -> None:
    file = tmp_path / "moods.csv"
    rows = [f"text number {n} is {'good' if n % 2 else 'bad'},{n % 2}" for n in range(40)]
    file.write_text("text,label\n" + "\n".join(rows))
    labels = corpora.add(file)
    assert labels.origin.task == "labels"
    assert approved(labels, "text number 3 is good", "1") is None
    assert approved(bank, "Where can I get a new PIN?", "  ") is None
