"""What step 1 shows, as a function of what is known of a corpus."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.ui import corpus_view, findings_view, plots
from assistant.ui.corpus.edit import COLUMNS, edited, search_examples
from assistant.ui.corpus.sheets import find_sheets, have_columns, uploads_of
from assistant.ui.corpus.versions import write_files
from assistant.ui.corpus.wordings import single_wordings, with_wordings
from tests.conftest import returns_csv
from trainer.corpus.examples import Example, identify
from trainer.corpus.findings import Audit, Item, Problem
from trainer.corpus.library import Corpora, Corpus
from trainer.corpus.mapping import Mapping
from trainer.corpus.origin import CleaningStep
from trainer.corpus.reading import Choices
from trainer.corpus.slant import count_mentions
from trainer.errors import CorpusError
from trainer.rendering import Lengths, Rendered

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"

Take = Callable[..., Corpus]


@pytest.fixture
def take(corpora: Corpora, tmp_path: Path) -> Take:
    """Take in a CSV of this content, under this name."""

    def _take(content: str, name: str = "faq.csv", **choices: object) -> Corpus:
        file = tmp_path / name
        file.write_text(content)
        return corpora.add(file, choices=Choices.model_validate(choices))

    return _take


def is_safe(html: str) -> bool:
    return "<script" not in html and "<img" not in html


def example(question: str, answer: str, row: int = 0) -> Example:
    return Example("", question, answer, "", row)


def test_the_lead_says_what_was_read_from_where_and_whether_it_is_ready(corpus: Corpus) -> None:
    lead = corpus_view.corpus_lead(corpus)
    assert "I read <b>36 questions</b> from <i>returns.csv</i>" in lead
    assert "question in <i>question</i>, answer in <i>answer</i>, topic in <i>topic</i>" in lead
    assert "Ready" in lead
    assert lead.count('class="pair"') == 3


def test_a_later_version_says_what_changed(corpora: Corpora, corpus: Corpus) -> None:
    revised = corpora.revise(corpus, corpus.examples[:-6])
    lead = corpus_view.corpus_lead(revised)
    said = "Version 2 holds <b>30 questions</b>: 6 removed. Read from <i>returns.csv</i>"
    assert said in lead


def test_too_few_examples_are_shown_as_not_ready_with_the_reason(take: Take) -> None:
    lead = corpus_view.corpus_lead(take("question,answer\nMay I return it?,Within a month.\n"))
    assert "Not ready" in lead
    assert "Too few examples: 1" in lead


def test_a_guess_that_is_not_sure_asks_to_be_checked(take: Take) -> None:
    corpus = take(returns_csv())
    assert "Please check the examples below" not in corpus_view.corpus_lead(corpus)
    part = corpus.origin.parts[0].model_copy(update={"sure": False})
    origin = corpus.origin.model_copy(update={"parts": (part,)})
    (corpus.path / "corpus.json").write_text(origin.model_dump_json())
    assert "Please check the examples below" in corpus_view.corpus_lead(Corpus(corpus.path))


def test_what_a_corpus_says_is_never_html(take: Take) -> None:
    rows = "".join(f'"{EVIL} {n}?","{EVIL} {n}","{EVIL}"\n' for n in range(25))
    mapping = Mapping(question=EVIL, answer="answer", topic=f"{EVIL} topic")
    corpus = take(
        f'"{EVIL}",answer,"{EVIL} topic"\n{rows}',
        "<img src=x>.csv",
        mapping={"": mapping},
        off=("html", "boilerplate", "mojibake", "unicode", "white space", "empty"),
    )
    assert EVIL in corpus.examples[0].answer, "else nothing is tested"
    note = corpus.origin.model_copy(update={"notes": (EVIL,), "change": EVIL})
    (corpus.path / "corpus.json").write_text(note.model_dump_json())
    corpus = Corpus(corpus.path)
    lead = corpus_view.corpus_lead(corpus)
    assert is_safe(lead)
    assert "&lt;script&gt;" in lead
    assert "&lt;img src=x&gt;.csv" in lead
    problem = Problem(
        kind="small topic", level="note", meaning=EVIL, count=1, items=(Item(shown=EVIL),)
    )
    step = CleaningStep(name=EVIL, changed=1, dropped=0, samples=((2, EVIL, EVIL),))
    views = [
        corpus_view.split_view(corpus),
        corpus_view.trouble_view(EVIL, columns=True, still=EVIL),
        findings_view.problem_view(problem, 1),
        findings_view.languages_view(Audit(problems=(), languages={EVIL: 3})),
        corpus_view.preview_view(EVIL, [EVIL], [(1, [EVIL]), (2, [(EVIL, EVIL)])]),
        corpus_view.cleaning_view([step]),
        corpus_view.versions_view([corpus]),
        corpus_view.rendered_view(Rendered(EVIL, EVIL, EVIL, 9, 3)),
    ]
    for view in views:
        assert is_safe(view), view
    topics = plots.topics_plot(Counter({EVIL: 3, "b": 2}), "answers")
    assert topics is not None
    assert all("<" not in text for text in topics.layout.yaxis.ticktext)


def test_mentions_of_groups_come_with_their_interval_and_their_limits() -> None:
    examples = identify(
        [example(f"May women open account {n}?", f"Women may, {n} times.") for n in range(30)]
    )
    mentions = count_mentions(examples)
    view = findings_view.mentions_view(mentions)
    assert "women" in view
    assert "95 % interval" in view
    assert "Word lists see words, not meaning" in view
    assert findings_view.mentions_view(None) == ""


def test_the_split_is_a_picture_with_its_sizes(corpus: Corpus) -> None:
    view = corpus_view.split_view(corpus)
    for pile, n in corpus.split.sizes().items():
        assert f"<b>{n} {pile}</b>" in view
    assert corpus.neighbours.told in view


def test_one_wording_each_is_said_with_the_way_out(take: Take) -> None:
    corpus = take(returns_csv(answers=30, wordings=1))
    assert "Add some under <b>Other wordings</b>" in corpus_view.split_view(corpus)


def test_a_finding_says_how_many_it_lists_and_what_each_choice_does() -> None:
    items = tuple(Item(ids=(str(n),), where=f"row {n}", shown="Hours?") for n in range(60))
    problem = Problem(
        kind="duplicate",
        level="note",
        meaning="They count once.",
        count=80,
        items=items,
        choices=("keep", "drop"),
    )
    assert findings_view.problem_title(problem) == "Duplicate: 80 (for information)"
    assert "The first 50 of 80 are listed" in findings_view.problem_view(problem, 50)
    assert findings_view.item_label(items[3]) == "row 3: Hours?"
    assert "Drop all but the first" in findings_view.choices_view(problem)
    assert "Mask" not in findings_view.choices_view(problem)


def test_cleaning_is_shown_before_and_after() -> None:
    step = CleaningStep(name="html", changed=2, dropped=1, samples=((4, "<b>Yes</b>", "Yes"),))
    view = corpus_view.cleaning_view([step])
    assert "HTML to text</b>: 2 changed, 1 left out" in view
    assert "<del>&lt;b&gt;Yes&lt;/b&gt;</del>" in view
    assert "Nothing had to be cleaned" in corpus_view.cleaning_view([])


def test_the_template_marks_what_is_taught_and_strikes_what_is_cut() -> None:
    view = corpus_view.rendered_view(Rendered("<|user|>Hi", "Hello", " there", 9, 2))
    assert "&lt;|user|&gt;Hi" in view
    assert '<mark class="taught">Hello</mark><del> there</del>' in view
    nothing = corpus_view.rendered_view(Rendered("long", "", "Hello", 9, 0))
    assert "nothing would be taught" in nothing


def test_the_plots_say_what_is_cut_and_send_counts_not_rows() -> None:
    lengths = Lengths(tokens=tuple(range(10, 1010)), cut=("a", "b"), untaught=("c",))
    figure = plots.tokens_plot(lengths, 900, of=50_000)
    assert figure is not None
    title = figure.layout.title.text.replace("<br>", " ")
    assert title.startswith("3 of 1,000 examples are longer than 900 tokens")
    assert "1 leave no room for the answer" in title
    assert "measured on 1,000 of 50,000" in title
    assert len(figure.data[0].x) < 50
    assert sum(figure.data[0].y) == 1000
    fits = plots.tokens_plot(Lengths((5, 9), (), ()), 512, of=2)
    assert fits is not None
    assert (
        fits.layout.title.text.replace("<br>", " ")
        == "The longest example has 9 tokens; all fit into 512"
    )
    many = Counter({f"topic {n}": n + 1 for n in range(70)})
    topics = plots.topics_plot(many, "answers")
    assert topics is not None
    assert len(topics.data[0].x) == 20
    assert plots.topics_plot(Counter({"one": 3}), "answers") is None


def test_the_commands_read_it_as_the_page_did(take: Take) -> None:
    mapping = Mapping(question="a b", answer="c")
    rows = "".join(f"How do I get item {n}?,You ask for item {n}.\n" for n in range(25))
    corpus = take(f"a b,c\n{rows}", "it is.csv", mapping={"": mapping}, off=("html",))
    commands = corpus_view.corpus_commands(corpus)
    assert "tandem corpus import 'it is.csv' --name it-is --map 'question=a b'" in commands
    assert "--keep html" in commands
    assert "tandem corpus export it-is@1 it-is.csv" in commands


def test_columns_can_be_chosen_in_what_nobody_could_guess(tmp_path: Path) -> None:
    odd, empty = tmp_path / "odd.csv", tmp_path / "empty.csv"
    odd.write_text("alpha,beta\n" + "".join(f"{n},{2 * n}\n" for n in range(30)))
    empty.write_text(" ")
    assert have_columns([odd])
    assert not have_columns([empty])
    (sheet,) = find_sheets([odd])
    assert sheet.columns[True] == ("alpha", "beta")
    assert sheet.rows[True][0] == (2, ("0", "0"))
    assert sheet.rows[False][0] == (1, ("alpha", "beta"))
    assert len(sheet.rows[True]) == 6


def test_the_upload_of_a_revised_corpus_is_found(corpora: Corpora, corpus: Corpus) -> None:
    revised = corpora.revise(corpus, corpus.examples[1:])
    assert uploads_of(corpora, revised) == (corpus.path / "uploads" / "returns.csv",)


def test_search_finds_questions_answers_and_topics(corpus: Corpus) -> None:
    assert len(search_examples(corpus.examples, "RETURNS")) == 36
    assert [at for at, _ in search_examples(corpus.examples, "return item 2?")] == [3]
    assert search_examples(corpus.examples, "no such") == []


def test_an_edit_touches_only_what_was_edited() -> None:
    examples = identify([example("One?", "1 "), example("Two?", "2"), example("Three?", "3")])
    same = [[1, "One?", "1", "", ""], ["2", "Two?", "2", None, ""]]
    assert edited(examples, same) == examples
    rows = [["3", "Third?", "3", "ordinal", ""], ["", "", "", "", ""], ["2", "", "", "", ""]]
    after = edited(examples, rows)
    assert [(e.question, e.answer, e.topic) for e in after] == [
        ("One?", "1 ", ""),
        ("Third?", "3", "ordinal"),
    ]
    assert len(COLUMNS) == len(rows[0])
    with pytest.raises(CorpusError, match="example 1 stands there twice"):
        edited(examples, [["1", "x", "y", "", ""], ["1", "a", "b", "", ""]])


def test_answers_of_one_wording_are_found_and_new_wordings_stand_beside_them(
    take: Take,
) -> None:
    corpus = take(
        returns_csv() + '"What about shoes?","Shoes may come back unworn for a year.",returns\n'
    )
    (alone,) = single_wordings(corpus)
    assert alone.question == "What about shoes?"
    examples = identify([example("A?", "1"), example("B?", "2"), example("C?", "1")])
    after = with_wordings(examples, [example("D?", "1"), example("E?", "2")])
    assert [e.question for e in after] == ["A?", "B?", "E?", "C?", "D?"]


def test_the_files_to_take_away_hold_every_example(corpus: Corpus) -> None:
    table, lines = (Path(path) for path in write_files(corpus))
    assert table.name == "returns-1.csv"
    rows = list(csv.reader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
    assert len(rows) == 37
    assert json.loads(lines.read_text().splitlines()[0])["question"] == "May I return item 1?"
