"""Nothing against itself: how often the base is called better or worse than the base.

    python -m tests.benchmarks.null [--seeds 6]

The bundled base answers the held-out questions of the sample corpora, once for every sampling seed
at temperature 1; beside that, scores are made up: cosines of a base that is right, near or astray,
in groups of 1 to 9 questions. Answers are generated once. Each of 200 comparisons draws groups of
questions with replacement, and for every question two of its answers, each of another seed. At most
15 may be called better or worse.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.bundled import bundled_bases, sample_corpora
from trainer.comparing import RESAMPLES, compare
from trainer.corpus.examples import group_examples
from trainer.corpus.library import Corpora
from trainer.models import load_base
from trainer.scoring import cosines, load_embedder

COMPARISONS, MOST = 200, 15
BATCH, TOKENS = 64, 48

Scores = NDArray[np.float64]


def count_false_verdicts(
    scores_by_seed: Scores,
    groups: Sequence[str],
    comparisons: int = COMPARISONS,
    seed: int = 1,
    *,
    whole: bool = False,
    resamples: int = RESAMPLES,
) -> int:
    """Count how often answers of one model are called better or worse than others of its own.

    `scores_by_seed` is of shape (sampling seeds, questions), at least two seeds. `whole` sets two
    seeds against each other on half of the groups instead, and not two answers a question.
    """
    draws = np.random.default_rng(seed)
    seeds = len(scores_by_seed)
    if seeds < 2:
        raise ValueError("to compare a model with itself, its answers of two seeds are needed")
    members = defaultdict(list)
    for at, group in enumerate(groups):
        members[group].append(at)
    names = list(members)
    found = 0
    for _ in range(comparisons):
        drawn = draws.choice(names, -(-len(names) // 2) if whole else len(names), not whole)
        at = np.array([question for name in drawn for question in members[name]])
        # A group drawn twice has other answers each time, so each is a group of its own.
        copies = [str(copy) for copy, name in enumerate(drawn) for _ in members[name]]
        if whole:
            one, other = draws.choice(seeds, 2, replace=False)
        else:
            one = draws.integers(0, seeds, len(at))
            other = (one + draws.integers(1, seeds, len(at))) % seeds
        difference = compare(
            scores_by_seed[one, at].tolist(),
            scores_by_seed[other, at].tolist(),
            copies,
            resamples=resamples,
        )
        found += difference.verdict in ("better", "worse")
    return found


def make_scores(seeds: int, groups: int, seed: int = 0) -> tuple[Scores, list[str]]:
    """Make up cosines of a base's answers: shape (seeds, questions), and the questions' groups."""
    draws = np.random.default_rng(seed)
    names = [str(group) for group in range(groups) for _ in range(draws.integers(1, 10))]
    easy = draws.beta(2, 3, groups)[[int(name) for name in names]]  # answers of one group go alike
    right = draws.random((seeds, len(names))) < 0.15 * easy  # now and then it says what is approved
    scores = np.where(
        right,
        draws.beta(30, 2, right.shape),
        0.15 + 0.5 * easy + 0.08 * draws.standard_t(3, right.shape),
    )
    return scores.clip(-0.1, 1.0), names


def sample_scores(name: str, seeds: int, folder: Path) -> tuple[Scores, list[str]]:
    """The bundled base's answers to a sample's held-out questions: (seeds, questions), groups."""
    corpus = Corpora(folder / name).get(name)
    asked = [e for kind in corpus.split.kinds for e in corpus.pile(kind)]
    group_of = {e.id: group[0].id for group in group_examples(asked) for e in group}
    base = load_base(next(iter(bundled_bases())), frozen_weights="dequantised")
    embedder = load_embedder()
    base.model.eval()
    tokenizer = base.format.tokenizer
    prompts = [base.format.prompt([{"role": "user", "content": e.question}]) for e in asked]
    approved = embedder.encode([e.answer for e in asked])
    scores = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        texts = []
        for at in range(0, len(prompts), BATCH):
            some = tokenizer.pad(
                {"input_ids": prompts[at : at + BATCH]}, padding_side="left", return_tensors="pt"
            )
            with torch.inference_mode():
                out = base.model.generate(**some, do_sample=True, top_k=0, max_new_tokens=TOKENS)
            texts += [base.format.text(row[some["input_ids"].shape[1] :].tolist()) for row in out]
        scores.append(cosines(embedder.encode(texts), approved))
    return np.array(scores), [group_of[e.id] for e in asked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    seeds = parser.parse_args().seeds
    sets = {f"made up, {groups} groups": make_scores(seeds, groups) for groups in (6, 10, 20, 60)}
    with tempfile.TemporaryDirectory() as folder:
        sets |= {name: sample_scores(name, seeds, Path(folder)) for name in sample_corpora()}
    most = 0
    for name, (scores, groups) in sets.items():
        found = count_false_verdicts(scores, groups)
        whole = count_false_verdicts(scores, groups, whole=True)
        most = max(most, found)
        print(
            f"{name}: {scores.shape[1]} questions, {len(set(groups))} groups, {len(scores)} seeds: "
            f"{found} of {COMPARISONS} comparisons of the base with itself called better or worse "
            f"(at most {MOST} may be); {whole} with two whole seeds against each other on half of "
            "the groups",
            flush=True,
        )
    sys.exit(most > MOST)


if __name__ == "__main__":
    main()
