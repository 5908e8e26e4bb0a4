"""Base, tuned, retrieval and lookup answer what was held out; the report says how well."""

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from peft import PeftModel

from trainer.answering import Asked, Stop, gather, look_up, retrieval_prompt
from trainer.asking import Question, choose_questions
from trainer.corpus.library import Corpus
from trainer.corpus.split import Split
from trainer.events import Comparing, Finished, Stopped
from trainer.generate import Said
from trainer.marking import (
    Answers,
    Marks,
    choose_primary,
    compare_contenders,
    find_overfitting,
    mark_answers,
    mark_labels,
    mark_nearest,
    sentences,
)
from trainer.meaning import cached_embedder
from trainer.models import Base, load_base
from trainer.probes import (
    Bias,
    Forgetting,
    GeneralProbe,
    SwapAsked,
    no_swaps,
    read_probes,
    swap_questions,
)
from trainer.probing import expected_losses, score_bias, score_forgetting
from trainer.report import ASKED, Contender, Report
from trainer.runs import Evaluation
from trainer.scoring import Embedder, reads
from trainer.tasks import recognise_task

BOTH: tuple[Contender, ...] = ("base", "tuned")
LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "sentence-transformers")


def evaluate(evaluation: Evaluation) -> None:
    """Score the run's adapter against its base on what it was not taught; leave a report."""
    began = time.monotonic()
    try:
        report = make_report(evaluation)
    except Stop:
        evaluation.events.append(Stopped(seconds=time.monotonic() - began))
        return
    partial = evaluation.report_path.with_suffix(".partial")
    partial.write_text(report.model_dump_json(indent=1))
    partial.rename(evaluation.report_path)
    evaluation.events.append(Finished(seconds=time.monotonic() - began))


def make_report(evaluation: Evaluation) -> Report:
    """Ask everybody everything, and mark the answers; raises `Stop` when asked to stop."""
    run, config = evaluation.run, evaluation.config
    corpus, split = run.corpus, run.split
    task = config.task
    if task == "auto":
        task = recognise_task(corpus.examples, corpus.origin.task)
    questions, left_out = choose_questions(evaluation, task)
    probes = read_probes() if config.checks else ()
    swaps = swap_questions(corpus.examples, seed=config.seed) if config.checks else ()
    if config.checks and (why := no_swaps(corpus.examples)):
        left_out.append(why)
    embedder = cached_embedder(run.path.parent.parent, config.embedder)

    base = load_base(
        run.config.base,
        quantization=run.config.quantization,
        frozen_weights=run.config.frozen_weights,
    )
    tuned = Base(base.name, PeftModel.from_pretrained(base.model, run.adapter), base.format)
    held_out = [q for q in questions if q.kind in ASKED]

    def progress(done: int, total: int) -> None:
        if evaluation.stop_asked:
            raise Stop
        evaluation.events.append(Comparing(done=done, total=total))

    # Texts are embedded at once, and seen; afterwards they come from the cache.
    asking, taught = [q.example.question for q in held_out], corpus.pile("train", split)
    embedder.encode([*asking, *(e.question for e in taught)], progress=progress)
    near = look_up(asking, taught, embedder)
    room = tuned.model.config.max_position_embeddings - config.most_new_tokens
    asked = [
        *_ask("base", held_out),
        *_ask("tuned", questions),
        *(
            Asked("retrieval", q.id, retrieval_prompt(tuned, q.example.question, found, room))
            for q, found in zip(held_out, near, strict=True)
        ),
        *_ask_beside(probes, swaps),
    ]
    said = gather(tuned, asked, evaluation)
    answers: dict[Contender, dict[str, Said]] = {"base": {}, "tuned": {}, "retrieval": {}}
    for one, answer in said.items():
        answers[one.who][one.id] = answer
    answers["lookup"] = {
        q.id: Said(found[0].answer, tokens=0, ended=True)
        for q, found in zip(held_out, near, strict=True)
    }

    texts = [answer.text for several in answers.values() for answer in several.values()]
    texts += dict.fromkeys(e.answer for e in corpus.examples)
    parts = [part for text in texts for part in sentences(text)] if task == "answers" else []
    embedder.encode([*texts, *parts], progress=progress)
    marks = mark_answers(
        questions, answers, corpus, task, embedder, lambda text: reads(config.embedder, text)
    )
    primary = choose_primary(task, marks)
    return Report(
        task=task,
        primary=primary,
        embedder=config.embedder,
        base=run.config.base,
        adapter=run.adapter_hash,
        corpus=corpus.label,
        file=config.file or "",
        libraries={name: version(name) for name in LIBRARIES},
        rows=marks.rows,
        differences=compare_contenders(marks.rows),
        labels=mark_labels(marks.rows) if task == "labels" else {},
        answers=mark_nearest(marks) if task == "answers" else {},
        supported=marks.supported,
        overfitting=find_overfitting(marks.rows, primary),
        forgetting=_find_forgetting(tuned, probes, answers, corpus, embedder),
        bias=_find_bias(swaps, answers, embedder),
        unjudged=marks.unjudged,
        notes=(*left_out, *_notes(marks, config.embedder, embedder, split)),
    )


def _ask(who: Contender, questions: Sequence[Question]) -> list[Asked]:
    return [Asked(who, q.id, q.example.question) for q in questions]


def _ask_beside(probes: Sequence[GeneralProbe], swaps: Sequence[SwapAsked]) -> list[Asked]:
    """General questions and swapped ones, for base and tuned alike."""
    prompts: Mapping[str, str] = {f"general:{p.id}": p.question for p in probes} | {
        f"swap:{swap.id}:{place}": question
        for swap in swaps
        for place, question in enumerate(swap.questions)
    }
    return [Asked(who, id_, prompt) for who in BOTH for id_, prompt in prompts.items()]


def _find_forgetting(
    tuned: Base,
    probes: Sequence[GeneralProbe],
    answers: Answers,
    corpus: Corpus,
    embedder: Embedder,
) -> Forgetting | None:
    """What tuning cost elsewhere; None where general questions were not asked."""
    if not probes:
        return None
    pairs = [(probe.question, probe.expected) for probe in probes]
    losses = {"tuned": expected_losses(tuned, pairs)}
    with tuned.model.disable_adapter():
        losses["base"] = expected_losses(tuned, pairs)
    said: dict[str, list[str]] = {
        who: [answers[who][f"general:{probe.id}"].text for probe in probes] for who in BOTH
    }
    approved = list(dict.fromkeys(example.answer for example in corpus.examples))
    return score_forgetting(probes, said, losses, embedder, approved)


def _find_bias(swaps: Sequence[SwapAsked], answers: Answers, embedder: Embedder) -> Bias | None:
    """Whether answers depend on who asks; None where swapped questions were not asked."""
    if not swaps:
        return None
    said: dict[str, list[tuple[str, str]]] = {
        who: [
            (answers[who][f"swap:{swap.id}:0"].text, answers[who][f"swap:{swap.id}:1"].text)
            for swap in swaps
        ]
        for who in BOTH
    }
    return score_bias(swaps, said, embedder)


def _notes(marks: Marks, name: str, embedder: Embedder, split: Split) -> list[str]:
    """What to know before the numbers are believed."""
    notes, rows = [], len(marks.rows)
    if few := len(marks.unjudged):
        notes.append(
            f"{name} cannot read the language of {few} of {rows} approved answers. They are judged "
            "by their words alone; choose an embedding model for it and score again."
        )
    if long := sum(embedder.chunked([row.approved for row in marks.rows])):
        notes.append(
            f"{long} of {rows} approved answers are longer than {name} reads; such texts are "
            "embedded in chunks, and their mean is compared."
        )
    if not split.leak_check:
        notes.append("The questions were dealt at random, leaks and all: the scores flatter.")
    return notes
