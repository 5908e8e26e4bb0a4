"""Whether an export answers like the preview, question by question."""

from collections.abc import Sequence
from pathlib import Path

from trainer.chat_format import ChatFormat
from trainer.export.asking import (
    Given,
    Heard,
    ask_with_llama_cpp,
    ask_with_tandem,
    ask_with_transformers,
)
from trainer.export.checked import Checked, Parting
from trainer.export.kinds import Kind
from trainer.export.preview import Preview, Told
from trainer.runs import Run


def check(
    run: Run, kind: Kind, folder: Path, preview: Preview, *, llama_cpp: str | None = None
) -> Checked:
    """Load an export again, ask it what the preview was asked, and compare."""
    if kind == "gguf" and llama_cpp is None:
        why = "there is no llama.cpp here. `pip install llama-cpp-python` brings it."
        return Checked(kind=kind, unchecked=why)
    if kind == "gguf" and llama_cpp:
        return compare(kind, preview, ask_with_llama_cpp(llama_cpp, folder, preview))
    if kind == "space":
        return compare(kind, preview, ask_with_tandem(folder, preview))
    return compare(kind, preview, ask_with_transformers(run, kind, folder, preview))


def compare(kind: Kind, preview: Preview, heard: Heard) -> Checked:
    """Set what an export said beside what the preview said."""
    pairs = list(zip(preview.told, heard.given, strict=True))
    words = sum(len(preview.format.text(given.tokens).split()) for given in heard.given)
    partings = [_part(told, given, preview.format) for told, given in pairs]
    return Checked(
        kind=kind,
        asked=len(pairs),
        partings=tuple(parting for parting in partings if parting),
        prompts_differ=sum(told.prompt != given.prompt for told, given in pairs),
        spoke=heard.speaks,
        load_seconds=heard.load_seconds,
        words_per_second=words / heard.seconds if heard.seconds else None,
    )


def _part(told: Told, given: Given, chat_format: ChatFormat) -> Parting | None:
    if chat_format.text(told.tokens) == chat_format.text(given.tokens):
        return None
    both = zip(told.tokens, given.tokens, strict=False)
    place = next(
        (at for at, (one, other) in enumerate(both) if one != other),
        min(len(told.tokens), len(given.tokens)),
    )
    chances = told.chances[place]

    def word(tokens: Sequence[int]) -> tuple[int, str]:
        if place == len(tokens):
            return chat_format.end, "(the end)"
        return tokens[place], chat_format.tokenizer.decode(tokens[place : place + 1]).strip()

    (ours, says), (theirs, instead) = word(told.tokens), word(given.tokens)
    return Parting(
        question=told.question,
        words=len(chat_format.text(told.tokens[:place]).split()),
        preview_says=says,
        preview_chance=chances.get(ours, 0.0) or min(chances.values()),
        export_says=instead,
        export_chance=chances.get(theirs),
    )
