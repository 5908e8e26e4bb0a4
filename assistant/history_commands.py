"""The commands that look back at runs: runs, show, compare, delete, ablate."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from assistant.terminal import (
    BUNDLED,
    FAILED,
    Command,
    add_settings,
    ask_yes,
    base_of,
    corpora_of,
    corpus_of,
    print_json,
    runs_of,
    say,
    settings_of,
    tell_progress,
    worker_of,
    workspace_of,
)
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from trainer.ablation import Row
    from trainer.grid import Ablation


def add_history_commands(command: Command, as_json: argparse.ArgumentParser) -> None:
    """Add `runs`, `show`, `compare`, `delete` and `ablate` to the parser."""
    command(_list, "runs", "list the runs, newest first", as_json)
    show = command(_show, "show", "all there is to know about a run", as_json)
    compare = command(_compare, "compare", "what two runs differ in, and their scores", as_json)
    delete = command(_delete, "delete", "delete a run and all it left", as_json)
    for added in (show, compare, delete):
        added.add_argument("run", help="a run's id, or `latest`")
    compare.add_argument("other", help="another run's id")
    delete.add_argument("--yes", action="store_true", help="do not ask")

    setting = argparse.ArgumentParser(add_help=False)
    add_settings(setting)
    ablate = command(
        _ablate,
        "ablate",
        "vary settings against each other, and say what is worth it",
        as_json,
        setting,
    )
    ablate.add_argument(
        "what", nargs="?", help="with --vary, a corpus; without, the name of an ablation to show"
    )
    ablate.add_argument("--list", action="store_true", help="list the ablations")
    ablate.add_argument("--name", help="what to call a new one")
    ablate.add_argument("--base", default=BUNDLED, help=f"bundled, folder or Hub id [{BUNDLED}]")
    ablate.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="KEY=A,B",
        help="a setting and its values, such as lora_rank=8,16; or cleaning=on,off; may be given "
        "several times",
    )
    ablate.add_argument("--seeds", type=int, default=1, help="runs of each combination [1]")


def _list(arguments: argparse.Namespace) -> int:
    found = [
        {
            "run": run.id,
            "state": run.state(),
            "base": run.config.base,
            "corpus": run.corpus.label,
        }
        for run in runs_of(arguments).list()
    ]
    if arguments.json:
        print_json({"runs": found})
    elif not found:
        print("No runs yet. Start one with `tandem tune banking`.")
    else:
        for line in found:
            print(f"{line['run']}  {line['state']:9}  {line['base']}  {line['corpus']}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from trainer.history import command, facts
    from trainer.remarks import remarks
    from trainer.words import ending, turn
    from trainer.work import State

    runs = runs_of(arguments)
    run = runs.get(arguments.run)
    said = turn(run, runs) if run.state() is State.QUEUED else ending(run)
    if arguments.json:
        told = {"state": run.state(), "ending": said, "remarks": remarks(run)}
        print_json({"run": run.id, **told, "facts": dict(facts(run)), "command": command(run)})
        return 0
    print(f"{run.id}\n{said}")
    for remark in remarks(run):
        print(f"- {remark}")
    print()
    _print_columns(facts(run))
    print(f"\nAgain: {command(run)}")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from trainer.comparing import compare_runs
    from trainer.history import differences
    from trainer.verdict import about_runs

    runs = runs_of(arguments)
    one, other = runs.get(arguments.run), runs.get(arguments.other)
    if one == other:
        raise ConfigError(f"That is '{one.id}' twice. Name two runs.")
    found = differences(one, other)
    apart = compare_runs(one, other)
    if arguments.json:
        print_json(
            {
                "runs": [one.id, other.id],
                "differences": {name: [a, b] for name, a, b in found},
                "scores": {
                    kind: {**between.model_dump(include=_TOLD), "verdict": between.verdict}
                    for kind, between in apart.items()
                },
            }
        )
    else:
        _print_columns([("", one.id, other.id), *found])
        print("\n".join(["", *about_runs(apart)]))
    return 0


_TOLD = {"mean", "low", "high", "p"}


def _delete(arguments: argparse.Namespace) -> int:
    runs = runs_of(arguments, start=False)
    run = runs.get(arguments.run)
    heirs = [r.id for r in runs.list() if r.config.continues == run.id]
    more = f" {', '.join(heirs)} went on from it and can't be repeated then." if heirs else ""
    frees = f"It frees {run.size / 1e6:.1f} MB.{more}"
    asked = f"Delete run '{run.id}', its adapter and its scores? {frees}"
    if not arguments.yes and not ask_yes(asked):
        say("Nothing was deleted.")
        return FAILED
    freed = runs.delete(run)
    if arguments.json:
        print_json({"run": run.id, "freed_bytes": freed})
    say(f"'{run.id}' is deleted; {freed / 1e6:.1f} MB are free again.{more}")
    runs_of(arguments)
    return 0


def _ablate(arguments: argparse.Namespace) -> int:
    from trainer.grid import ablations, find_ablation

    if arguments.vary:
        return _create(arguments)
    runs_of(arguments)
    workspace = workspace_of(arguments)
    if arguments.list:
        found = [(a.name, a.plan) for a in ablations(workspace)]
        if arguments.json:
            told = [{"ablation": n, "corpus": p.corpus, "runs": len(p.runs)} for n, p in found]
            print_json({"ablations": told})
        elif not found:
            print("No ablations yet. Start one with `tandem ablate CORPUS --name NAME --vary ...`.")
        else:
            for name, plan in found:
                varied = ", ".join(f"{n}={_values(v)}" for n, v in plan.varied.items())
                print(f"{name:20}  {plan.corpus:20}  {_runs(len(plan.runs)):>8}  {varied}")
        return 0
    if not arguments.what:
        raise ConfigError("Name an ablation to show, or a corpus with --name and --vary.")
    ablation = find_ablation(workspace, arguments.what)
    if arguments.json:
        print_json(_as_json(ablation))
    else:
        _print_ablation(ablation)
    return 0


def _create(arguments: argparse.Namespace) -> int:
    from trainer.grid import check_grid, create_ablation

    if not arguments.what or not arguments.name:
        raise ConfigError("A new ablation takes a corpus and a --name.")
    if arguments.seeds < 1:
        raise ConfigError("--seeds: at least 1.")
    varied: dict[str, list[str]] = {}
    for pair in arguments.vary:
        key, _, values = pair.partition("=")
        given = [value.strip() for value in values.split(",")]
        if key.strip() in varied or not all(given):
            raise ConfigError(f"--vary takes each setting once, as key=value,value; not '{pair}'.")
        varied[key.strip()] = given
    base, fixed = base_of(arguments.base), settings_of(arguments)
    check_grid(base, varied, fixed, arguments.seeds)
    runs_of(arguments)
    ablation = create_ablation(
        corpora_of(arguments),
        corpus_of(arguments, arguments.what),
        arguments.name,
        base=base,
        varied=varied,
        fixed=fixed,
        seeds=arguments.seeds,
        worker=worker_of(arguments),
        tell=tell_progress,
    )
    ids = [one.run for one in ablation.plan.runs]
    if arguments.json:
        print_json({"ablation": ablation.name, "runs": ids})
    say(
        f"{len(ids)} runs of '{ablation.name}' are in the queue; they need nobody to wait for "
        f"them. Its table: `tandem ablate {ablation.name}`."
    )
    return 0


def _as_json(ablation: "Ablation") -> dict[str, object]:
    from trainer.ablation import cheapest, measured, notes, summary, table

    best = cheapest(ablation)
    return {
        "ablation": ablation.name,
        "corpus": ablation.plan.corpus,
        "measured": measured(ablation),
        "rows": [asdict(row) for row in table(ablation)],
        "summary": [asdict(marginal) for marginal in summary(ablation)],
        "cheapest": asdict(best) if best else None,
        "notes": notes(ablation),
    }


def _print_ablation(ablation: "Ablation") -> None:
    from trainer.ablation import cheapest, measured, notes, summary, table
    from trainer.words import duration

    print(f"{ablation.name}, on {ablation.plan.corpus}. {measured(ablation)}\n")
    rows = table(ablation)
    unseen = any(row.unseen is not None for row in rows)
    head = (*ablation.plan.varied, "seeds", "score", "over seeds", "over questions")
    head = (*head, "unseen", "time") if unseen else (*head, "time")
    lines = [head]
    for row in rows:
        cells = (*map(str, row.settings.values()), f"{row.done} of {row.planned}", _two(row.score))
        cells = (*cells, _over_seeds(row), f"± {_two(row.error)}" if row.error else "-")
        cells = (*cells, _two(row.unseen)) if unseen else cells
        lines.append((*cells, duration(row.seconds) if row.seconds is not None else "-"))
    _print_columns(lines)
    if marginals := summary(ablation):
        print()
        for m in marginals:
            spread = f" ± {m.spread:.2f}" if m.spread is not None else ""
            ranging = f" ({m.low:.2f} to {m.high:.2f})" if m.runs > 1 else ""
            print(f"{m.setting}={m.value}: {m.score:.2f}{spread}{ranging}, {_runs(m.runs)}")
    if best := cheapest(ablation):
        print(f"\n{best.sentence}")
    for note in notes(ablation):
        print(f"- {note}")


def _over_seeds(row: "Row") -> str:
    if row.spread is None:
        return "-"
    return f"± {row.spread:.2f} ({_two(row.low)} to {_two(row.high)})"


def _runs(number: int) -> str:
    return f"{number} run" if number == 1 else f"{number} runs"


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _values(values: Sequence[object]) -> str:
    return ",".join(map(str, values))


def _print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip())
