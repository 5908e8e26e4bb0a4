"""What the chat teaches: open questions that a person answered become examples of the corpus."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.store import OpenQuestion, Store
from trainer.corpus.examining import Tell
from trainer.corpus.examples import Example, identify, normalise
from trainer.corpus.library import Corpora, Corpus
from trainer.errors import CorpusError
from trainer.locks import Lock, LockHeld


@dataclass(frozen=True)
class Lesson:
    """The examples of a corpus with new answers in them; `others` keep an answer that was wrong."""

    examples: tuple[Example, ...]
    added: int
    corrected: int
    others: int

    @property
    def change(self) -> str:
        """What was done, as the versions of a corpus say it."""
        done = [f"{self.added:,} added"] if self.added else []
        done += [f"{self.corrected:,} corrected"] if self.corrected else []
        keep = "keeps" if self.others == 1 else "keep"
        others = (
            f"; {self.others:,} more {keep} an answer that was corrected" if self.others else ""
        )
        return f"answered in the chat: {', '.join(done)}{others}"


def open_questions(store: Store, corpora: Corpora, name: str) -> list[OpenQuestion]:
    """The open questions of a corpus, also those noted under a name it had before."""
    found = [q for known in corpora.names(name) for q in store.open_questions(known)]
    return sorted(found, key=lambda question: (question.asked, question.created), reverse=True)


def teach(store: Store, corpora: Corpora, name: str, *, tell: Tell | None = None) -> Corpus:
    """Make the next version of a corpus, with all open questions that have an answer.

    Raises `CorpusError` where there are none, or while somebody else does the same. Where all of
    them stand in the corpus already, as after a crash in here, no version is made.
    """
    corpus = corpora.get(name.partition("@")[0])
    try:
        with Lock(corpus.path.parent / "lessons.lock").claim():
            corpus = corpora.versions(corpus.name)[-1]
            answered = [q for q in open_questions(store, corpora, corpus.name) if q.answer]
            if not answered:
                raise CorpusError(
                    f"No open question of '{corpus.name}' has an answer. Write one, then add it."
                )
            lesson = learn(corpus, answered)
            if lesson.examples != corpus.examples:
                corpus = corpora.revise(corpus, lesson.examples, lesson.change, tell=tell)
            store.taught(answered, corpus.label)
    except LockHeld:
        raise CorpusError(
            f"Somebody is adding answers to '{corpus.name}' right now. Look again in a minute."
        ) from None
    return corpus


def learn(corpus: Corpus, answered: Sequence[OpenQuestion]) -> Lesson:
    """Put answers into the examples of a corpus; a question that is there gets the answer instead.

    Other wordings of it keep theirs: whether they ask the same is for a person to say.
    """
    answers = {
        normalise(q.question): Example("", q.question.strip(), _fitting(corpus, q))
        for q in answered
    }
    examples: list[Example] = []
    same: list[Example] = []
    wrong: set[str] = set()
    corrected = 0
    for example in corpus.examples:
        said = answers.get(normalise(example.question))
        if said is None:
            same.append(example)
        elif said.answer != example.answer.strip():
            wrong.add(normalise(example.answer))
            corrected += 1
            example = replace(example, answer=said.answer)
        examples.append(example)
    there = {normalise(e.question) for e in corpus.examples}
    added = [said for question, said in answers.items() if question not in there]
    return Lesson(
        examples=identify([*examples, *added]),
        added=len(added),
        corrected=corrected,
        others=sum(normalise(e.answer) in wrong for e in same),
    )


def _fitting(corpus: Corpus, question: OpenQuestion) -> str:
    """The answer, or, in a corpus of labels, the label that it names."""
    if corpus.origin.task != "labels":
        return question.answer.strip()
    labels = {normalise(e.answer): e.answer for e in corpus.examples}
    try:
        return labels[normalise(question.answer)]
    except KeyError:
        raise CorpusError(
            f"The answers of '{corpus.name}' are labels, and '{question.answer[:60]}' is none of "
            f"them: {', '.join(sorted(labels.values())[:12])}. Correct the answer to "
            f"'{question.question[:60]}'."
        ) from None
