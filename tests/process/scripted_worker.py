"""A stand-in for `trainer.worker` that obeys a script instead of a recipe.

The script is the run's `max_length` setting, the one that no test needs: see SCRIPTS.
"""

import os
import signal
import sys
import time
from pathlib import Path

from trainer.events import Answering, Finished, Progress, Started, Stopped
from trainer.report import KINDS, Report, Row
from trainer.runs import Evaluation, Run, Work

SCRIPTS = {"finish": 101, "die": 102, "wait": 103}


def step(number: int) -> Progress:
    return Progress(
        step=number,
        epoch=0.5,
        loss=1.5,
        learning_rate=1e-3,
        examples_per_second=20,
        seconds_left=4,
    )


def score(evaluation: Evaluation) -> None:
    corpus = evaluation.run.corpus
    rows = tuple(
        Row(
            id=e.id,
            kind=kind,
            question=e.question,
            topic=e.topic,
            approved=e.answer,
            answers={"base": "Who knows?", "tuned": e.answer, "lookup": e.answer},
            similarity={"base": 0.1, "tuned": 0.9, "lookup": 0.7},
        )
        for kind in KINDS
        for e in corpus.pile(kind)
    )
    report = Report(embedder="scripted", adapter=evaluation.run.adapter_hash, rows=rows)
    evaluation.events.append(Answering(done=1, total=2, seconds_left=1))
    evaluation.report_path.write_text(report.model_dump_json())
    evaluation.events.append(Finished(seconds=1))


def main(directory: str) -> None:
    path = Path(directory)
    if path.parent.name == "evaluations":
        score(Evaluation(path))
        return
    run = Run(path)
    script = next(name for name, value in SCRIPTS.items() if value == run.config.max_length)
    about = Started(steps=9, examples=30, trainable_parameters=5, parameters=50, device="cpu")
    run.events.append(about)
    run.events.append(step(1))
    print("loud " * 50_000)  # more than a pipe holds
    end: Work = run
    match script:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            while not run.stop_asked:
                time.sleep(0.02)
            end.events.append(Stopped(seconds=1, step=1, kept_step=1, examples_per_second=20))
        case "finish":
            run.adapter.mkdir()
            (run.adapter / "adapter_model.safetensors").write_bytes(b"weights")
            run.events.append(Finished(seconds=1, step=9, kept_step=7, examples_per_second=20))


if __name__ == "__main__":
    main(sys.argv[1])
