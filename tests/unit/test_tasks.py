"""What a corpus asks of a model is told from the corpus."""

from pathlib import Path

import pytest

from trainer.bundled import sample_corpora
from trainer.corpus.examples import Example, make_examples
from trainer.corpus.reading import read_corpus
from trainer.corpus.table import Pair
from trainer.tasks import recognise_task

GERMAN = """Der Zug nach Hamburg fährt heute leider erst um zehn Uhr ab.
Bitte bringen Sie Ihren Ausweis und die Rechnung mit.
Wir haben gestern lange auf den Bus gewartet.
Meine Schwester arbeitet seit drei Jahren in einem Krankenhaus.
Kannst du mir sagen, wo der nächste Bahnhof ist?
Das Wetter wird morgen wieder schöner.
Er hat sein Buch auf dem Tisch liegen lassen.
Die Kinder spielen jeden Nachmittag im Garten.
Ich möchte gerne ein Zimmer mit Blick auf das Meer.
Warum hast du mir nichts davon erzählt?
Der Arzt sagte, dass ich mehr schlafen soll.
Unsere Nachbarn sind sehr freundliche Leute."""
ENGLISH = """Unfortunately the train to Hamburg does not leave until ten o'clock today.
Please bring your identity card and the bill with you.
We waited a long time for the bus yesterday.
My sister has been working in a hospital for three years.
Can you tell me where the nearest station is?
The weather will be nicer again tomorrow.
He left his book lying on the table.
The children play in the garden every afternoon.
I would like a room with a view of the sea.
Why did you not tell me anything about it?
The doctor said that I should sleep more.
Our neighbours are very friendly people."""
FRENCH = """Malheureusement, le train pour Hambourg ne part qu'à dix heures aujourd'hui.
Veuillez apporter votre carte d'identité et la facture.
Nous avons attendu le bus longtemps hier.
Ma sœur travaille dans un hôpital depuis trois ans.
Peux-tu me dire où se trouve la gare la plus proche ?
Le temps sera de nouveau plus beau demain.
Il a laissé son livre sur la table.
Les enfants jouent dans le jardin tous les après-midi.
Je voudrais une chambre avec vue sur la mer.
Pourquoi ne m'en as-tu rien dit ?
Le médecin a dit que je devais dormir davantage.
Nos voisins sont des gens très sympathiques."""

STORY = (
    "The town council of {town} met on Monday evening to decide about the old {thing} beside the "
    "river. For years people had complained that it was falling apart and that nobody could use "
    "it any more. Several speakers asked for money to repair the {thing}, while others wanted it "
    "to be pulled down and replaced by a park. After three hours of debate the mayor called for "
    "a vote. Seven members were in favour of a repair, four were against it. Work on the {thing} "
    "will begin in spring and cost about two million euros, most of which the state will pay."
)
SUMMARY = (
    "The council of {town} voted to repair the old {thing} beside the river; work begins in "
    "spring and costs two million euros."
)
REPLY = (
    "Thanks for writing. Please send us your customer number and a photograph, and our colleagues "
    "in the workshop call back within two days."
)
PLACES = [
    ("Newford", "bridge"),
    ("Oakham", "theatre"),
    ("Milton", "station"),
    ("Dale", "mill"),
    ("Ashby", "market hall"),
]


def pairs(questions: list[str], answers: list[str]) -> tuple[Example, ...]:
    both = zip(questions, answers, strict=True)
    return make_examples(Pair(q, a, "", n, "") for n, (q, a) in enumerate(both))


@pytest.mark.parametrize("left", [GERMAN, FRENCH])
def test_one_text_in_two_languages_is_a_translation_either_way(left: str) -> None:
    there = pairs(left.splitlines(), ENGLISH.splitlines())
    back = pairs(ENGLISH.splitlines(), left.splitlines())
    assert recognise_task(there, "answers") == "translations"
    assert recognise_task(back, "answers") == "translations"
    assert recognise_task(there[:6] + back[6:], "answers") == "translations"


def test_a_faq_in_two_languages_is_no_translation() -> None:
    each = pairs(ENGLISH.splitlines() + GERMAN.splitlines(), [*GERMAN.splitlines()] * 2)
    assert recognise_task(each, "answers") == "answers"
    long = [" ".join(ENGLISH.splitlines()[at:] + ENGLISH.splitlines()[:at]) for at in range(12)]
    assert recognise_task(pairs(GERMAN.splitlines(), long), "answers") == "answers"


def test_a_handful_of_texts_is_not_called_translations() -> None:
    few = pairs(GERMAN.splitlines()[:5], ENGLISH.splitlines()[:5])
    assert recognise_task(few, "answers") == "answers"


def test_long_texts_and_what_they_say_in_short_are_summaries() -> None:
    texts = [STORY.format(town=town, thing=thing) for town, thing in PLACES]
    short = [SUMMARY.format(town=town, thing=thing) for town, thing in PLACES]
    assert recognise_task(pairs(texts, short), "answers") == "summaries"


def test_a_reply_to_a_long_letter_is_no_summary() -> None:
    texts = [STORY.format(town=town, thing=thing) for town, thing in PLACES]
    assert recognise_task(pairs(texts, [REPLY] * 5), "answers") == "answers"
    assert recognise_task(pairs(texts, texts), "answers") == "answers"  # as long as the text


def test_a_short_question_is_never_summed_up() -> None:
    asked = [f"Who decided about the old {thing} of {town}?" for town, thing in PLACES]
    answers = [f"The council decided about the {thing} of {town}." for town, thing in PLACES]
    assert recognise_task(pairs(asked, answers), "answers") == "answers"


def test_labels_stay_labels_whatever_their_texts() -> None:
    texts = [STORY.format(town=town, thing=thing) for town, thing in PLACES]
    assert recognise_task(pairs(texts, ["river"] * 5), "labels") == "labels"
    assert recognise_task((), "answers") == "answers"


def test_the_sample_corpora_are_answers() -> None:
    for path in sample_corpora().values():
        reading = read_corpus(path)
        assert recognise_task(reading.examples, reading.task) == "answers"


@pytest.mark.parametrize(
    ("file", "task"),
    [
        ("cls_uci_sentiment_txt/imdb_labelled.txt", "labels"),
        ("construction_sv_en_all_formats/faq.csv", "answers"),
        ("covid_multilingual_deepset/faq_200327.tsv", "answers"),
        ("letsencrypt_faq_md_multilang/da_faq.md", "answers"),
        ("streaming_tonton_ms_docx/FAQ.docx", "answers"),
    ],
)
def test_real_corpora_are_what_they_say(file: str, task: str, shared: Path) -> None:
    reading = read_corpus(shared / "corpora" / file)
    assert recognise_task(reading.examples, reading.task) == task


def test_english_and_chinese_sentences_are_translations(shared: Path, tmp_path: Path) -> None:
    lines = (shared / "corpora/mt_tatoeba_en_zh_txt/cmn.txt").read_text("utf-8").splitlines()
    file = tmp_path / "cmn.txt"
    file.write_text("\n".join(lines[::40]), "utf-8")
    reading = read_corpus(file)
    assert recognise_task(reading.examples, reading.task) == "translations"


def test_meetings_and_their_minutes_are_summaries(shared: Path) -> None:
    import json

    lines = (shared / "corpora/sum_qmsum_jsonl/val.jsonl").read_text("utf-8").splitlines()[:12]
    meetings = [json.loads(line) for line in lines]
    texts = [" ".join(said["content"] for said in m["meeting_transcripts"]) for m in meetings]
    minutes = [m["general_query_list"][0]["answer"] for m in meetings]
    assert recognise_task(pairs(texts, minutes), "answers") == "summaries"
