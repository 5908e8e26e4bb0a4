"""How long a large corpus takes, stage by stage, and how that grows: 10k, 30k and 100k rows.

    python -m tests.benchmarks.corpus [ROWS ...]

The files are made up: facts about products of invented names, in several wordings, with typing
mistakes, repeats, numbers that differ and answers that share whole sentences.
Each measurement runs in a process of its own. Seconds are of processor time, children included, and
the best of `TURNS` counts, for others use the machine as well; the wall clock stands beside them.
"""

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from trainer.corpus.audit import audit_examples
from trainer.corpus.near import find_duplicates
from trainer.corpus.reading import read_corpus
from trainer.corpus.split import find_leaks, split_examples
from trainer.meaning import Meaning

SIZES = (10_000, 30_000, 100_000)
TURNS = 2
Work = dict[str, Any]

WORDINGS = (
    "How do I {verb} {thing}?", "how can i {verb} {thing}", "What must I do to {verb} {thing}?",
    "I would like to {verb} {thing}, where do I start?", "Is there a quick way to {verb} {thing}?",
    "{verb} {thing}: which documents are needed?", "Who can help me {verb} {thing} this week?",
)  # fmt: skip
VERBS = (
    "open", "close", "renew", "cancel", "upgrade", "block", "insure", "transfer", "convert", "pay",
    "return", "register", "repair", "activate", "download", "borrow", "extend", "freeze", "share",
    "replace", "review", "dispute", "order", "track", "exchange",
)  # fmt: skip
KINDS = (
    "savings account", "credit card", "house loan", "travel cover", "mobile plan", "fixed deposit",
    "fuel voucher", "student pass", "parking permit", "gift box", "pension plan", "water meter",
)  # fmt: skip
SENTENCES = tuple(
    f"{who} {does} {what} {when}."
    for who in ("The service desk", "Your adviser", "A branch near you", "The online portal")
    for does in ("confirms", "prepares", "sends you", "archives")
    for what in ("the signed contract", "a list of charges", "the identity check", "a short reply")
    for when in ("within two days", "on the same morning", "after the payment", "by letter")
)


def read(work: Work) -> None:
    work["examples"] = read_corpus(Path(work["file"])).examples


def find_neighbours(work: Work) -> None:
    work["neighbours"] = find_duplicates(work["examples"])


def audit(work: Work) -> None:
    work["audit"] = audit_examples(work["examples"], work["neighbours"])


def split(work: Work) -> None:
    work["split"] = split_examples(work["examples"], seed=17, neighbours=work["neighbours"])


def check(work: Work) -> None:
    assert find_leaks(work["split"], work["examples"], work["neighbours"]) == 0
    work["found"] = {
        "rows": len(work["examples"]),
        "near pairs": len(work["neighbours"].pairs),
        "wordings": len(set(work["neighbours"].questions.values())),
        "answers": len(set(work["neighbours"].answers.values())),
        **work["split"].sizes(),
    }


STAGES: list[tuple[str, Callable[[Work], None]]] = [
    ("read, map, clean", read),
    ("near-duplicates", find_neighbours),
    ("audit", audit),
    ("split", split),
    ("check", check),
]


def write_corpus(file: Path, rows: int, *, seed: int = 7) -> None:
    """Write a made-up FAQ with so many rows; the first rows of a larger one are not those of it."""
    rng = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "io", "u", "an", "or", "el")]
    written = 0
    with file.open("w", encoding="utf-8", newline="") as opened:
        out = csv.writer(opened)
        out.writerow(("question", "answer", "topic"))
        while written < rows:
            kind = rng.choice(KINDS)
            name = "".join(rng.choices(syllables, k=rng.randint(2, 4))).capitalize()
            thing = f"my {name} {kind}" if rng.random() < 0.7 else f"{kind} {rng.randint(1, 9999)}"
            verb = rng.choice(VERBS)
            steps = " ".join(rng.sample(SENTENCES, rng.randint(3, 6)))
            answer = f"To {verb} {thing}, allow {rng.randint(1, 30)} days. {steps}"
            for wording in rng.sample(WORDINGS, rng.randint(1, 5)):
                question = wording.format(verb=verb, thing=thing)
                repeats = [question]
                if rng.random() < 0.15:
                    repeats.append(_mistype(question, rng))
                if rng.random() < 0.1:
                    repeats.append(question.upper())
                for text in repeats[: rows - written]:
                    out.writerow((text, answer, kind))
                    written += 1


def _mistype(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(text) - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def measure(file: Path) -> dict[str, Any]:
    """Run every stage in this process; processor seconds of each, and the peak of memory in MB."""
    work: Work = {"file": file}
    seconds = {}
    began = time.perf_counter()
    for name, stage in STAGES:
        before = sum(os.times()[:4])
        stage(work)
        seconds[name] = sum(os.times()[:4]) - before
    wall = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "wall": wall, "peak": peak, "found": work["found"]}


def main(sizes: tuple[int, ...] = SIZES) -> None:
    names = [name for name, _ in STAGES]
    print(
        f"{'rows':>8}"
        + "".join(f"{name:>17}" for name in names)
        + f"{'all':>9}{'wall':>9}{'peak MB':>9}"
    )
    totals: dict[int, float] = {}
    found: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for rows in sizes:
            file = Path(folder) / f"{rows}.csv"
            write_corpus(file, rows)
            command = [sys.executable, "-m", "tests.benchmarks.corpus", "--measure", str(file)]
            turns = [json.loads(subprocess.check_output(command)) for _ in range(TURNS)]
            best = {name: min(turn["seconds"][name] for turn in turns) for name in names}
            totals[rows], found = sum(best.values()), turns[0]["found"]
            print(
                f"{rows:8,}" + "".join(f"{best[name]:15.2f} s" for name in names)
                + f"{totals[rows]:7.1f} s{min(turn['wall'] for turn in turns):7.1f} s"
                + f"{max(turn['peak'] for turn in turns):9.0f}",
                flush=True,
            )  # fmt: skip
    for less, more in pairwise(sizes):
        print(f"{more / less:.1f} times the rows: {totals[more] / totals[less]:.1f} times the time")
    print("The largest:", ", ".join(f"{name} {count:,}" for name, count in found.items()))


def measure_embedding(rows: int = 3_000) -> None:
    """Time the comparison by meaning, which is apart from all this: first, and from its cache."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "corpus.csv"
        write_corpus(file, rows)
        examples = read_corpus(file).examples
        for when in ("embedded now", "from the cache"):
            began = time.perf_counter()
            find_duplicates(examples, Meaning(Path(folder)))
            questions = len({e.question for e in examples})
            seconds = time.perf_counter() - began
            print(f"{questions:,} questions by meaning, {when}: {seconds:.1f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]))))
    else:
        main(tuple(int(rows) for rows in sys.argv[1:]) or SIZES)
        measure_embedding()
