"""Base, tuned and lookup answer the held-out questions of a run; the report says how well."""

import time
from collections.abc import Sequence

from peft import PeftModel

from trainer.corpus.examples import Example
from trainer.events import Answering, Finished, Stopped
from trainer.generate import answer_batch
from trainer.models import Base, load_base
from trainer.report import Contender, Report, Row
from trainer.runs import Evaluation
from trainer.scoring import Embedder, cosines, load_embedder, nearest


class Stop(Exception):
    """Someone asked the evaluation to stop."""


def evaluate(evaluation: Evaluation) -> None:
    """Score the run's adapter against its base on the run's own split; leave a report."""
    began = time.monotonic()
    run, config = evaluation.run, evaluation.config
    embedder = load_embedder(config.embedder)
    base = load_base(
        run.config.base,
        quantization=run.config.quantization,
        frozen_weights=run.config.frozen_weights,
    )
    model = PeftModel.from_pretrained(base.model, run.adapter)
    tuned = Base(base.name, model, base.format)

    corpus, split = run.corpus, run.split
    asked = [(kind, example) for kind in split.kinds for example in corpus.pile(kind, split)]
    questions = [example.question for _, example in asked]
    try:
        # The lookup contender: what a search box over the training questions would say.
        answers: dict[Contender, list[str]] = {
            "lookup": look_up(questions, corpus.pile("train", split), embedder)
        }
        with model.disable_adapter():
            answers["base"] = _answer(tuned, questions, evaluation, began, done=0)
        answers["tuned"] = _answer(tuned, questions, evaluation, began, done=len(questions))
    except Stop:
        evaluation.events.append(Stopped(seconds=time.monotonic() - began))
        return

    approved = embedder.encode([example.answer for _, example in asked])
    similarity = {who: cosines(embedder.encode(texts), approved) for who, texts in answers.items()}
    rows = tuple(
        Row(
            id=example.id,
            kind=kind,
            question=example.question,
            topic=example.topic,
            approved=example.answer,
            answers={who: answers[who][i] for who in answers},
            similarity={who: similarity[who][i] for who in answers},
        )
        for i, (kind, example) in enumerate(asked)
    )
    report = Report(embedder=config.embedder, adapter=run.adapter_hash, rows=rows)
    partial = evaluation.report_path.with_suffix(".partial")
    partial.write_text(report.model_dump_json(indent=1))
    partial.rename(evaluation.report_path)
    evaluation.events.append(Finished(seconds=time.monotonic() - began))


def look_up(questions: Sequence[str], known: Sequence[Example], embedder: Embedder) -> list[str]:
    """Answer each question with the approved answer of the nearest known question."""
    index = nearest(embedder.encode(questions), embedder.encode([e.question for e in known]))
    return [known[i].answer for i in index]


def _answer(
    base: Base, questions: Sequence[str], evaluation: Evaluation, began: float, *, done: int
) -> list[str]:
    config = evaluation.config
    # Questions of one length share a batch: less padding.
    order = sorted(range(len(questions)), key=lambda i: len(questions[i]))
    answers: dict[int, str] = {}
    started, total = time.monotonic(), 2 * len(questions)
    for at in range(0, len(order), config.batch_size):
        if evaluation.stop_asked:
            raise Stop
        batch = order[at : at + config.batch_size]
        texts = answer_batch(
            base, [questions[i] for i in batch], most_new_tokens=config.most_new_tokens
        )
        answers.update(zip(batch, texts, strict=True))
        rate = (time.monotonic() - started) / len(answers)
        so_far = done + len(answers)
        evaluation.events.append(
            Answering(done=so_far, total=total, seconds_left=rate * (total - so_far))
        )
    return [answers[i] for i in range(len(questions))]
