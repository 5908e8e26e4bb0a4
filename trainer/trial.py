"""A few real steps of a run, before it: what they take is what the whole run will take.

`python -m trainer.trial CORPUS CACHE` reads settings as JSON from stdin, works in a process of its
own, whose memory is counted from zero and given back, and ends with one line of JSON. `measure`
starts it; importing this module loads no framework, running it does.
"""

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from trainer.config import RunConfig
from trainer.corpus.library import Corpora, Corpus
from trainer.devices import devices, environment
from trainer.errors import CorpusError, UserError

COMMAND = ("-m", "trainer.trial")
LOOKED_AHEAD = 5_000  # steps among which the largest batch is looked for
LONGEST_TRIAL = 600  # seconds


@dataclass(frozen=True)
class Trial:
    """What a whole run takes, as a few of its steps show; the scoring afterwards is not in it.

    `seconds` hold loading, all steps and all checks. `peak_bytes` is the most the process has
    held; on a GPU, of the GPU's memory.
    """

    seconds: float
    load_seconds: float
    check_seconds: float
    peak_bytes: int
    examples_per_second: float
    tokens_per_second: float
    steps: int


def measure(config: RunConfig, workspace: Path, *, command: Sequence[str] = COMMAND) -> Trial:
    """Try a few steps of a run in a process of its own; raises `UserError` with its reason.

    It takes as long as loading the base and some six steps, beside whatever uses the device.
    """
    corpus = Corpora(workspace / "corpora").get(f"{config.corpus}@{config.version}")
    arguments = [sys.executable, *command, str(corpus.path), str(workspace / "cache")]
    try:
        done = subprocess.run(
            arguments,
            input=config.model_dump_json(),
            capture_output=True,
            text=True,
            timeout=LONGEST_TRIAL,
            env=environment(devices()[:1]),
        )
    except subprocess.TimeoutExpired:
        raise UserError(
            f"A few steps took more than {LONGEST_TRIAL // 60} minutes: this machine is too slow "
            "for these settings. Choose a smaller base or shorter examples."
        ) from None
    try:
        told = json.loads(done.stdout.strip().rpartition("\n")[2])
        if "reason" not in told:
            return Trial(**told)
    except (json.JSONDecodeError, TypeError):
        told = {"reason": _ending(done.returncode, done.stderr)}
    raise UserError(told["reason"])


def try_steps(config: RunConfig, corpus: Corpus, cache: Path, *, steps: int = 4) -> Trial:
    """Run the step with the largest batch twice, then a few others, as the recipe does.

    The first shows the peak and lets kernels warm up; only the others are timed. Raises
    `UserError` for what the user can mend.
    """
    began = time.monotonic()
    import torch  # noqa: PLC0415 - `measure` loads no framework

    from trainer.adapter import add_adapter  # noqa: PLC0415
    from trainer.finetune import learn, make_optimizer  # noqa: PLC0415
    from trainer.models import load_base  # noqa: PLC0415
    from trainer.packing import shuffled_steps, tokenise, validation_loss  # noqa: PLC0415
    from trainer.team import Team  # noqa: PLC0415

    torch.manual_seed(config.seed)
    base = load_base(
        config.base, quantization=config.quantization, frozen_weights=config.frozen_weights
    )
    model = add_adapter(base, config)
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizer = make_optimizer(weights, config)
    train = tokenise(corpus.pile("train"), base, config, cache)
    validation = tokenise(corpus.pile("validation"), base, config, cache)
    if not train:
        raise CorpusError(
            "No answer is left to learn: every question alone is longer than the maximum length "
            f"of {config.max_length} tokens. Raise it."
        )
    loaded = time.monotonic() - began

    steps_per_epoch = math.ceil(len(train) / (config.batch_size * config.accumulation))
    all_steps = max(1, round(config.epochs * steps_per_epoch))
    groups = list(islice(shuffled_steps(train, config), min(all_steps, LOOKED_AHEAD)))
    largest = max((batch for group in groups for batch in group), key=_tokens)
    model.train()

    def seconds_of(group: list[list[tuple[list[int], list[int]]]]) -> float:
        started = time.monotonic()
        learn(model, group, config, Team())
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.monotonic() - started

    seconds_of([largest])
    seconds_of([largest])
    rate = statistics.median(sum(map(_tokens, g)) / seconds_of(g) for g in groups[:steps])

    checking = 0.0
    if validation:
        some = validation[: 2 * config.batch_size]
        started = time.monotonic()
        validation_loss(model, some, config.batch_size)
        once = (time.monotonic() - started) * len(validation) / len(some)
        checking = once * math.ceil(all_steps / max(1, min(steps_per_epoch // 2, 100)))
    tokens = sum(_tokens(batch) for group in groups for batch in group) / len(groups) * all_steps
    return Trial(
        seconds=loaded + tokens / rate + checking,
        load_seconds=loaded,
        check_seconds=checking,
        peak_bytes=_peak_bytes(),
        examples_per_second=rate * len(train) / _tokens(train),
        tokens_per_second=rate,
        steps=all_steps,
    )


def _tokens(batch: Sequence[tuple[list[int], list[int]]]) -> int:
    return sum(len(prompt) + len(answer) for prompt, answer in batch)


def _peak_bytes() -> int:
    import torch  # noqa: PLC0415 - as above

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    try:  # getrusage would tell the peak of the parent, too, where that was higher
        lines = Path("/proc/self/status").read_text().split("\n")
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _ending(code: int, errors: str) -> str:
    if code == -9 or "OutOfMemoryError" in errors or "MemoryError" in errors:
        return (
            "A few steps with these settings ran out of memory. Halve the batch size, or shorten "
            "the maximum length."
        )
    last = errors.strip().rpartition("\n")[2]
    return f"A few steps could not be tried: {last or f'the process ended with {code}'}"


def main(corpus: str, cache: str) -> int:
    """Try the settings that stand on stdin; print what they take, or the reason why not."""
    try:
        config = RunConfig.model_validate_json(sys.stdin.read())
        told = asdict(try_steps(config, Corpus(Path(corpus)), Path(cache)))
    except UserError as error:
        told = {"reason": str(error)}
    print(json.dumps(told))  # noqa: T201 - this is what the process is for
    return 1 if "reason" in told else 0


if __name__ == "__main__":
    os.nice(5)  # whoever is at the page goes first
    sys.exit(main(*sys.argv[1:]))
