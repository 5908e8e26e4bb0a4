"""Step 1 as a browser sees it: through its endpoints."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client, handle_file

from assistant.ui.app import build_app
from tests.app.test_app import CHAT
from tests.conftest import returns_csv
from tests.process.test_launch import WORKER
from trainer.corpus.library import Corpora, Corpus
from trainer.runs import Run

Serve = Callable[[gr.Blocks], AbstractContextManager[Client]]

MESSY = (
    "question,answer,topic\n"
    + "".join(f"How do I order item {n}?,Call us about item {n}.,orders\n" for n in range(25))
    + "May I return shoes?,Within 30 days.,returns\n"
    + "May I return shoes?,Within 60 days.,returns\n"
    + "Whom do I ask?,Write to anna.berger@gmail.com please.,help\n"
    + "What are your hours?,Nine to five.,help\n"
    + "What are your hours?,Nine to five.,help\n"
)


def draft(base: str, questions: Sequence[str]) -> list[tuple[str, ...]]:
    return [(f"Tell me: {question}", f"And {question}") for question in questions]


@pytest.fixture
def page(workspace: Path, serve: Serve) -> Iterator[Client]:
    with serve(build_app(workspace, CHAT, draft=draft, worker=WORKER)) as client:
        yield client


def upload(page: Client, folder: Path, **files: str) -> None:
    """Drop files, named by keyword: `faq=...` is faq.csv."""
    paths = []
    for name, content in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(content)
    page.predict([handle_file(str(path)) for path in paths], api_name="/upload_corpus")


def newest(corpora: Corpora, name: str) -> Corpus:
    return corpora.versions(name)[-1]


def read_again(page: Client, question: str, answer: str, **changed: Any) -> Any:
    given = {
        "part": "",
        "use": True,
        "header": True,
        "topic": "",
        "context": "",
        "wordings": [],
        "task": "answers",
        "steps": ["html", "white space", "empty"],
    } | changed
    order = ("part", "use", "header", "question", "answer", "topic", "context", "wordings")
    given |= {"question": question, "answer": answer}
    return page.predict(
        *(given[name] for name in (*order, "task", "steps")), api_name="/read_again"
    )


def test_several_files_become_one_corpus(page: Client, corpora: Corpora, tmp_path: Path) -> None:
    other = "Frage;Antwort\n" + "".join(f"Wie bestelle ich Nr. {n}?;Mit {n}.\n" for n in range(20))
    upload(page, tmp_path, returns=returns_csv(), bestellen=other)
    corpus = newest(corpora, "returns")
    assert [u.file for u in corpus.origin.uploads] == ["returns.csv", "bestellen.csv"]
    assert len(corpus.examples) == 56


def test_two_files_of_one_name_are_refused(page: Client, corpora: Corpora, tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "faq.csv", tmp_path / "b" / "faq.csv"
    for file, count in ((first, 12), (second, 13)):
        file.parent.mkdir()
        file.write_text(returns_csv(answers=count))
    with pytest.raises(Exception, match=r"Two files are called 'faq\.csv'"):
        page.predict([handle_file(str(f)) for f in (first, second)], api_name="/upload_corpus")
    assert corpora.list() == []


def test_columns_nobody_could_guess_are_chosen_by_hand(
    page: Client, corpora: Corpora, tmp_path: Path
) -> None:
    odd = "alpha,beta,gamma\n" + "".join(f"{n},{2 * n},{3 * n}\n" for n in range(30))
    with pytest.raises(Exception, match=r"odd\.csv.*'alpha', 'beta', 'gamma'"):
        upload(page, tmp_path, odd=odd)
    assert corpora.list() == []
    with pytest.raises(Exception, match="delta"):
        read_again(page, "delta", "gamma")
    read_again(page, "alpha", "gamma")
    corpus = newest(corpora, "odd")
    assert (corpus.examples[7].question, corpus.examples[7].answer) == ("7", "21")
    # Another choice is another version of the same upload.
    read_again(page, "alpha", "beta", steps=[])
    again = newest(corpora, "odd")
    assert (again.version, again.examples[7].answer) == (2, "14")
    assert "html" in again.origin.choices.off


def test_columns_can_be_changed_after_an_edit_too(
    page: Client, corpora: Corpora, tmp_path: Path
) -> None:
    upload(page, tmp_path, messy=MESSY)
    page.predict("messy@1", "contradiction", "drop", [], api_name="/decide")
    page.predict("messy", api_name="/show_corpus")
    assert newest(corpora, "messy").version == 2
    read_again(page, "answer", "question")
    assert newest(corpora, "messy").examples[0].question == "Call us about item 0."


def test_findings_are_merged_masked_dropped_and_kept(
    page: Client, corpora: Corpora, tmp_path: Path
) -> None:
    upload(page, tmp_path, messy=MESSY)
    kinds = [p.kind for p in newest(corpora, "messy").audit.problems]
    assert {"contradiction", "personal data", "duplicate"} <= set(kinds)

    def decide(version: int, kind: str, choice: str, items: list[int]) -> Corpus:
        done = page.predict(f"messy@{version}", kind, choice, items, api_name="/decide")
        return corpora.get(done["corpus"])

    merged = decide(1, "contradiction", "merge", [])
    assert {e.answer for e in merged.examples if "shoes" in e.question} == {"Within 30 days."}
    masked = decide(2, "personal data", "mask", [0])
    assert not any("anna.berger" in e.answer for e in masked.examples)
    dropped = decide(3, "duplicate", "drop", [])
    assert len([e for e in dropped.examples if "hours" in e.question]) == 1
    assert dropped.version == 4
    left = [p.kind for p in dropped.audit.problems]
    assert not {"contradiction", "personal data", "duplicate"} & set(left)


def test_what_is_kept_is_not_listed_again_and_makes_no_version(
    page: Client, corpora: Corpora, tmp_path: Path
) -> None:
    upload(page, tmp_path, messy=MESSY)
    page.predict("messy@1", "contradiction", "keep", [0], api_name="/decide")
    corpus = newest(corpora, "messy")
    assert corpus.version == 1
    assert "contradiction" not in [p.kind for p in corpus.audit.problems]


def test_a_decision_over_http_is_checked(page: Client, corpora: Corpora, tmp_path: Path) -> None:
    upload(page, tmp_path, messy=MESSY)
    for kind, choice, items, said in (
        ("nothing", "drop", [], "has no finding 'nothing'"),
        ("contradiction", "mask", [], "'mask' is no choice"),
        ("contradiction", "drop", [7], "has 1 listed items"),
        ("contradiction", "drop", [-1], "has 1 listed items"),
    ):
        with pytest.raises(Exception, match=said):
            page.predict("messy@1", kind, choice, items, api_name="/decide")
    assert newest(corpora, "messy").version == 1


def test_examples_are_found_edited_added_and_taken_out(
    page: Client, corpora: Corpora, tmp_path: Path
) -> None:
    upload(page, tmp_path, messy=MESSY)
    table, told = page.predict("SHOES", api_name="/find_examples")
    assert "2 of 30" in told
    rows = table["data"]
    assert [row[1] for row in rows] == ["May I return shoes?"] * 2
    rows[0][1] = "May I give shoes back?"
    rows[1][1] = rows[1][2] = ""
    rows.append(["", "Do you ship?", "Yes, everywhere.", "orders", ""])
    page.predict(table, api_name="/edit_examples")
    corpus = newest(corpora, "messy")
    assert corpus.origin.change == "1 added, 1 removed, 1 edited"
    asked = [e.question for e in corpus.examples]
    assert asked[25] == "May I give shoes back?"
    assert asked[-1] == "Do you ship?"
    assert "May I return shoes?" not in asked
    assert len(asked) == 30


def test_an_edit_of_a_version_that_is_no_longer_the_newest_is_refused(
    page: Client, corpora: Corpora, tmp_path: Path
) -> None:
    upload(page, tmp_path, messy=MESSY)
    table, _ = page.predict("shoes", api_name="/find_examples")
    page.predict("messy@1", "contradiction", "drop", [], api_name="/decide")  # elsewhere
    table["data"][0][1] = "Too late?"
    with pytest.raises(Exception, match="'messy' has version 2 by now"):
        page.predict(table, api_name="/edit_examples")
    assert newest(corpora, "messy").version == 2


def test_a_row_that_cannot_be_kept_is_named(page: Client, corpora: Corpora, tmp_path: Path) -> None:
    upload(page, tmp_path, messy=MESSY)
    headers = ["no.", "question", "answer", "topic", "from"]
    for row, said in (
        (["1", "How?", "", "", ""], "Row 1 of the table has no answer"),
        (["99", "How?", "So.", "", ""], "there is no example 99"),
        (["-1", "How?", "So.", "", ""], "there is no example -1"),
    ):
        with pytest.raises(Exception, match=said):
            page.predict({"headers": headers, "data": [row]}, api_name="/edit_examples")
    assert newest(corpora, "messy").version == 1


def test_drafted_wordings_go_in_only_when_ticked_and_are_marked(
    page: Client, corpora: Corpora, tmp_path: Path
) -> None:
    upload(page, tmp_path, messy=MESSY)
    before = len(newest(corpora, "messy").examples)
    page.predict("bundled:pocket", 3, api_name="/draft_wordings")
    with pytest.raises(Exception, match="No wording is ticked"):
        page.predict([], api_name="/add_wordings")
    with pytest.raises(Exception, match="not among the drafts"):
        page.predict([6], api_name="/add_wordings")
    page.predict([0, 3], api_name="/add_wordings")
    corpus = newest(corpora, "messy")
    drafted = [e for e in corpus.examples if e.drafted]
    assert len(corpus.examples) == before + 2
    assert [e.question for e in drafted] == [
        "Tell me: How do I order item 0?",
        "And How do I order item 1?",
    ]
    assert drafted[0].answer == "Call us about item 0."
    assert corpus.origin.change == "2 drafted wordings added"


def test_going_back_renaming_and_merging(page: Client, corpora: Corpora, tmp_path: Path) -> None:
    upload(page, tmp_path, messy=MESSY)
    page.predict("messy@1", "contradiction", "drop", [], api_name="/decide")
    page.predict("messy", api_name="/show_corpus")
    with pytest.raises(Exception, match="Choose a former version"):
        page.predict(2, api_name="/go_back")
    page.predict(1, api_name="/go_back")
    back = newest(corpora, "messy")
    assert (back.version, back.origin.change) == (3, "restored (from version 1)")
    assert back.examples == corpora.get("messy@1").examples
    with pytest.raises(Exception, match="cannot be a name"):
        page.predict("../up", api_name="/rename_corpus")
    page.predict("tidy", api_name="/rename_corpus")
    assert newest(corpora, "tidy").version == 3
    upload(page, tmp_path, returns=returns_csv())
    with pytest.raises(Exception, match="Choose another corpus"):
        page.predict("returns", api_name="/merge_corpora")
    page.predict("tidy", api_name="/merge_corpora")
    assert len(newest(corpora, "returns").examples) == 66


def test_a_corpus_is_deleted_only_by_its_name_and_when_no_run_needs_it(
    page: Client, corpora: Corpora, run: Run, tmp_path: Path
) -> None:
    page.predict("returns", api_name="/show_corpus")
    with pytest.raises(Exception, match="Type 'returns' into the field"):
        page.predict("Returns!", api_name="/delete_corpus")
    with pytest.raises(Exception, match="'returns' is needed by"):
        page.predict("returns", api_name="/delete_corpus")
    upload(page, tmp_path, messy=MESSY)
    page.predict("messy", api_name="/delete_corpus")
    assert [c.name for c in corpora.list() if c.name != "banking"] == ["returns"]


def test_a_hostile_corpus_is_never_html(page: Client, corpora: Corpora, tmp_path: Path) -> None:
    evil = "question,answer,topic\n" + "".join(
        f"What is &lt;script&gt;{n}?,An <img src=x onerror=alert({n})> of {n}.,<i>t</i>\n"
        for n in range(25)
    )
    upload(page, tmp_path, evil=evil)
    read_again(page, "question", "answer", topic="topic", steps=[])
    assert "<img" in newest(corpora, "evil").examples[0].answer, "else nothing is tested"
    shown = page.predict("bundled:pocket", 1, 64, api_name="/render_example")
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_a_message_draws_nothing_that_a_file_wrote(page: Client, tmp_path: Path) -> None:
    odd = "<img src=x>,<b>two</b>\n" + "".join(f"{n},{2 * n}\n" for n in range(30))
    with pytest.raises(Exception, match=r"&lt;img src=x&gt;") as refused:
        upload(page, tmp_path, odd=odd)
    assert "<img" not in str(refused.value)
