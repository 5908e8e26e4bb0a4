"""What answers are worth beside the approved ones, with an embedder whose axes are words."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from trainer.answering import look_up
from trainer.asking import Question
from trainer.corpus.examples import Example, make_examples
from trainer.corpus.library import Corpora, Corpus
from trainer.corpus.table import Pair
from trainer.generate import Said
from trainer.marking import (
    Marks,
    choose_primary,
    compare_contenders,
    find_overfitting,
    mark_answers,
    mark_labels,
    mark_nearest,
    sentences,
)
from trainer.report import Contender, Kind
from trainer.scoring import Matrix

WORDS = ("thirty", "days", "refund", "fee", "card", "block", "call", "shoes", "send", "back")
WORDS += ("parcel", "free")


class CountsWords:
    """One axis a known word."""

    def encode(self, texts: Sequence[str], /) -> Matrix:
        words = [text.lower().replace(".", "").replace("?", "").split() for text in texts]
        rows = np.array([[w.count(axis) for axis in WORDS] for w in words], np.float32)
        rows = rows.reshape(len(texts), len(WORDS))
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def chunked(self, texts: Sequence[str], /) -> list[bool]:
        return [False] * len(texts)


FAQ = """question,answer
How do I block my card?,Block your card and call us.
When do I get a refund?,You get your refund in thirty days.
What is the fee?,There is no fee to send shoes back.
Is the parcel free?,The parcel back to us is free.
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    file = tmp_path / "shop.csv"
    file.write_text(FAQ)
    return Corpora(tmp_path / "corpora").add(file)


def mark(
    corpus: Corpus,
    said: Mapping[Contender, Sequence[str]],
    *,
    kind: Kind = "reworded",
    foreign: str = "nothing",
) -> Marks:
    questions = [Question(kind, e, e.id) for e in corpus.examples]
    answers = {
        who: {q.id: Said(text, 3, ended=True) for q, text in zip(questions, texts, strict=True)}
        for who, texts in said.items()
    }
    return mark_answers(
        questions, answers, corpus, "answers", CountsWords(), lambda text: foreign not in text
    )


def approved(corpus: Corpus) -> list[str]:
    return [example.answer for example in corpus.examples]


def test_the_approved_answer_itself_scores_one_and_another_one_less(corpus: Corpus) -> None:
    right = approved(corpus)
    marks = mark(corpus, {"base": [right[1], *right[1:]], "tuned": right})
    for row in marks.rows:
        assert row.answers["tuned"].scores["similarity"] == pytest.approx(1)
        assert row.answers["tuned"].scores["nearest"] == 1
        assert row.answers["tuned"].scores["exact"] == row.answers["tuned"].scores["token_f1"] == 1
        assert row.answers["tuned"].flags == row.answers["tuned"].invented == ()
        assert row.floor is not None
        assert row.floor < 0.5
    wrong = marks.rows[0].answers["base"]
    assert wrong.scores["similarity"] < 0.1
    assert wrong.scores["nearest"] == 0
    found = mark_nearest(marks)["reworded"]
    assert (found["tuned"].accuracy, found["base"].accuracy) == (1, 0.75)
    assert found["base"].macro_recall == pytest.approx(0.75)
    assert found["base"].macro_precision == pytest.approx((0 + 0.5 + 1 + 1) / 4)


def test_the_floor_is_what_other_approved_answers_get(corpus: Corpus) -> None:
    vectors = CountsWords().encode(approved(corpus))
    marks = mark(corpus, {"tuned": approved(corpus)})
    for i, row in enumerate(marks.rows):
        others = [float(vectors[i] @ vectors[j]) for j in range(4) if j != i]
        assert row.floor == pytest.approx(sum(others) / 3, abs=1e-6)


def test_a_changed_fact_is_flagged_and_what_nobody_approved_is_invented(corpus: Corpus) -> None:
    right = approved(corpus)
    said = [right[0], "You get your refund in 14 days.", *right[2:]]
    marks = mark(corpus, {"tuned": said}, kind="unseen")
    answer = marks.rows[1].answers["tuned"]
    assert [(flag.said, flag.approved) for flag in answer.flags] == [("14 days", "thirty days")]
    assert any("14" in one for one in answer.invented)
    said = [right[0], "We will call your bank and ask them about it first.", *right[2:]]
    marks = mark(corpus, {"tuned": said}, kind="unseen")
    assert marks.rows[1].answers["tuned"].invented == (said[1],)
    assert marks.supported == 0.8, "too few sentences to calibrate it"


def test_what_the_embedder_cannot_read_is_judged_by_words_alone(corpus: Corpus) -> None:
    marks = mark(corpus, {"tuned": approved(corpus)}, foreign="refund")
    assert marks.unjudged == (corpus.examples[1].id,)
    row = marks.rows[1]
    assert row.floor is None
    assert "similarity" not in row.answers["tuned"].scores
    assert row.answers["tuned"].scores["token_f1"] == 1
    assert choose_primary("answers", marks) == "similarity"
    foreign = mark(corpus, {"tuned": approved(corpus)}, foreign=" ")
    assert choose_primary("answers", foreign) == "token_f1"
    assert choose_primary("labels", foreign) == "exact"


def test_tuned_is_compared_with_each_other_on_the_same_questions(corpus: Corpus) -> None:
    right = approved(corpus)
    rows = mark(corpus, {"base": ["Well."] * 4, "tuned": right, "lookup": right}).rows
    found = compare_contenders(rows)
    assert found["reworded"].keys() == {"base", "lookup"}
    against = found["reworded"]["base"]["similarity"]
    assert against.mean == pytest.approx(1)
    assert (against.wins, against.losses, against.ties) == (4, 0, 0)
    assert found["reworded"]["lookup"]["exact"].ties == 4


def test_overfitting_is_taught_less_reworded(corpus: Corpus) -> None:
    right = approved(corpus)
    taught = mark(corpus, {"tuned": right}, kind="taught").rows
    reworded = mark(corpus, {"tuned": [right[0], right[1], "Well.", "Well."]}).rows
    found = find_overfitting((*taught, *reworded), "exact")
    assert found is not None
    assert (found.taught, found.reworded, found.mean) == (1, 0.5, 0.5)
    assert found.low <= 0.5 <= found.high
    assert find_overfitting(reworded, "exact") is None


def test_labels_are_found_or_not(tmp_path: Path) -> None:
    file = tmp_path / "mood.csv"
    texts = [f"{n} is a {kind} day" for n in range(30) for kind in ("good", "bad")]
    file.write_text("text,label\n" + "".join(f"{t},{t.split()[-2]}\n" for t in texts))
    corpus = Corpora(tmp_path / "corpora").add(file)
    assert corpus.origin.task == "labels"
    questions = [Question("test", e, e.id) for e in corpus.examples]
    said: dict[Contender, dict[str, Said]] = {
        "tuned": {q.id: Said(q.example.answer.upper(), 1, ended=True) for q in questions},
        "base": {q.id: Said("good", 1, ended=True) for q in questions},
    }
    marks = mark_answers(questions, said, corpus, "labels", CountsWords(), lambda _: True)
    found = mark_labels(marks.rows)
    assert found["tuned"].accuracy == found["tuned"].macro_f1 == 1
    assert found["base"].accuracy == 0.5
    assert found["base"].confusion["bad"] == {"good": 30}
    assert all(not row.answers["base"].flags for row in marks.rows)
    assert marks.supported is None


def test_lookup_answers_with_the_approved_answer_of_the_nearest_question() -> None:
    known = make_examples(
        [
            Pair("when do I get a refund", "Thirty."),
            Pair("my refund after thirty days", "Thirty."),
            Pair("what is the fee", "None."),
            Pair("block the card", "Call."),
        ]
    )
    found = look_up(["refund in thirty days", "any fee ?"], known, CountsWords())
    assert [several[0].answer for several in found] == ["Thirty.", "None."]
    assert found[0][0].question == "my refund after thirty days"
    assert len({example.answer for example in found[0]}) == len(found[0]) == 3


def test_a_sentence_of_a_word_or_two_states_nothing() -> None:
    told = "Yes. You may call us at any hour! Costs: 3.50 a month for all.\n\nThank you"
    assert sentences(told) == ["You may call us at any hour!", "Costs: 3.50 a month for all."]
    assert sentences("") == []
    asked = "What is your date of birth, please? I am sorry, I don't know that. We open at nine."
    assert sentences(asked) == ["We open at nine."], "nor does a question or a way out"
    assert sentences("我们九点开门。你好吗？我们九点开门。") == ["我们九点开门。"]  # noqa: RUF001
    assert sentences("We open at nine on all days. We open at nine on all days.") == [
        "We open at nine on all days."
    ]


def test_a_test_file_may_approve_what_the_corpus_does_not(corpus: Corpus) -> None:
    fresh = Example("f1", "How do I call you?", "Call card call.")
    question = Question("file", fresh, "f1")
    answers: dict[Contender, dict[str, Said]] = {
        "tuned": {question.id: Said("Call card call.", 3, ended=True)}
    }
    marks = mark_answers([question], answers, corpus, "answers", CountsWords(), lambda _: True)
    assert marks.rows[0].answers["tuned"].scores["nearest"] == 1
    assert marks.rows[0].answers["tuned"].invented == ()
