"""A corpus as a terminal tells of it: what was read, what was found, as text or as JSON."""

import codecs
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.corpus.examining import Examined
    from trainer.corpus.examples import Example
    from trainer.corpus.findings import Audit
    from trainer.corpus.mapping import Mapping as Columns
    from trainer.corpus.reading import Reading


def as_json(reading: "Reading", found: "Examined") -> dict[str, object]:
    """Everything about a reading, in the shape that `--json` prints."""
    from trainer.corpus.split import find_leaks

    first = reading.used[0]
    assert first.mapping is not None
    return {
        "examples": len(reading.examples),
        "task": reading.task,
        "format": first.table.format.lower(),
        "encoding": _codec(first.table.encoding),
        "mapping": _short_mapping(first.mapping),
        "sure": all(part.sure for part in reading.used),
        "parts": [
            {
                "file": part.file,
                "part": part.table.part,
                "format": part.table.format.lower(),
                "encoding": _codec(part.table.encoding),
                "pairs": len(part.pairs),
                "mapping": _short_mapping(part.mapping) if part.mapping else None,
                "refused": part.refused,
            }
            for part in reading.parts
        ],
        "notes": list(reading.notes),
        "cleaning": [asdict(step) for step in reading.cleaning],
        "ready": found.audit.ready,
        "reasons": list(found.audit.reasons),
        "problems": [
            problem.model_dump() | {"where": list(problem.where)}
            for problem in found.audit.problems
        ],
        "languages": found.audit.languages,
        "mentions": asdict(found.audit.mentions) if found.audit.mentions else None,
        "compared": found.neighbours.told,
        "split": found.split.sizes(),
        "leaks": find_leaks(found.split, reading.examples, found.neighbours),
        "validation_is": found.split.validation_is,
        "samples": [{"question": e.question, "answer": e.answer} for e in reading.examples[:3]],
    }


def _codec(encoding: str) -> str:
    """An encoding as programs call it."""
    if encoding.endswith(" with BOM"):
        return f"{_codec(encoding.removesuffix(' with BOM'))}-sig"
    return codecs.lookup(encoding).name if encoding else ""


def _short_mapping(mapping: "Columns") -> dict[str, object]:
    """Question, answer and topic, and whatever else is not as usual."""
    usual: dict[str, object] = {"topic": mapping.topic}
    return mapping.model_dump(exclude_defaults=True) | usual


def print_reading(reading: "Reading") -> None:
    """Print what was read, how it was mapped and what was cleaned."""
    from trainer.corpus.cleaning import STEPS

    kind = "texts with labels" if reading.task == "labels" else "examples"
    files = ", ".join(dict.fromkeys(part.file for part in reading.used))
    print(f"{len(reading.examples):,} {kind} in {files}.")
    for part in reading.used:
        mapping, table = part.mapping, part.table
        assert mapping is not None
        where = f"{part.file}, {table.part}" if table.part else part.file
        how = ", ".join(word for word in (table.format, table.encoding) if word)
        more = f", topics in '{mapping.topic}'" if mapping.topic else ""
        more += f", '{mapping.context}' put in front" if mapping.context else ""
        print(
            f"{where} ({how}): {len(part.pairs):,} pairs; questions in '{mapping.question}', "
            f"answers in '{mapping.answer}'{more}." + ("" if part.sure else " Please check.")
        )
    for note in reading.notes:
        print(f"- {note}")
    titles = {step.name: step.title for step in STEPS}
    for step in reading.cleaning:
        if step.changed or step.dropped:
            print(f"Cleaned, {titles[step.name]}: {step.changed} changed, {step.dropped} left out.")


def print_audit(audit: "Audit") -> None:
    """Print what would harm a bot, the worst first."""
    print(f"{audit.ready.capitalize()}.")
    for problem in audit.problems:
        places = "; ".join(where for where in problem.where[:3] if where)
        more = " ..." if places and problem.count > 3 else ""
        print(f"- {problem.kind}: {problem.count:,}. {problem.meaning} {places}{more}".rstrip())


def count_tokens(base: str, examples: Sequence["Example"]) -> dict[str, int]:
    """Count the tokens of the examples for a base: the most, and how many lose something."""
    from trainer.config import RunConfig
    from trainer.models import load_format
    from trainer.rendering import measure_lengths

    most = int(RunConfig.model_fields["max_length"].default)
    lengths = measure_lengths(load_format(base), examples, most)
    tokens = sorted(lengths.tokens)
    return {
        "median": tokens[len(tokens) // 2],
        "longest": tokens[-1],
        "most": most,
        "cut": len(lengths.cut),
        "untaught": len(lengths.untaught),
    }
