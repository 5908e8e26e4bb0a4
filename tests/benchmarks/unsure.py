"""How often a hosted bot says that it isn't sure, beside wrong answers and beside right ones.

    python -m tests.benchmarks.unsure WORKSPACE

For every scored run of a workspace, what the tuned model answered to held-out questions; each
question is taken out of what is approved while it is judged, as a visitor's words would not be in
it. Right is an answer whose nearest approved one is the approved answer of its question.
"""

import sys
from collections import Counter
from pathlib import Path

from assistant.beside import Approved
from assistant.hosted.bot import why_unsure
from assistant.sharing import make_link
from trainer.runs import Run, Runs


def main(workspace: Path) -> None:
    approved, all_told = Approved.in_workspace(workspace), Counter[str]()
    print(
        f"{'run':40} {'kind':9} {'wrong, unsure':>14} {'right, unsure':>14} {'offered right':>14}"
    )
    for run in Runs(workspace / "runs").list():
        evaluation = run.evaluation()
        report = evaluation.report() if evaluation else None
        for kind in report.kinds if report else ():
            seen = Counter(judge(approved, run, row) for row in report.of(kind) if row.answers)
            wrong = [n for (right, _, _), n in seen.items() if not right]
            told = {
                right: sum(n for (r, unsure, _), n in seen.items() if r == right and unsure)
                for right in (False, True)
            }
            offered = sum(n for (_, unsure, good), n in seen.items() if unsure and good)
            rights, wrongs = sum(seen.values()) - sum(wrong), sum(wrong)
            all_told += Counter(wrong=wrongs, right=rights)
            all_told += Counter(wrong_unsure=told[False], right_unsure=told[True])
            print(
                f"{run.id:40} {kind:9} {told[False]:>6} of {wrongs:>4} {told[True]:>6} of "
                f"{rights:>4} {offered:>6} of {sum(told.values()):>4}"
            )
    print(
        f"in all: beside {all_told['wrong_unsure']} of {all_told['wrong']} wrong answers, "
        f"and {all_told['right_unsure']} of {all_told['right']} right ones"
    )


def judge(approved: Approved, run: Run, row) -> tuple[bool, bool, bool]:
    """Whether an answer is right, the bot unsure of it, and what it offers the right one."""
    text = row.answers["tuned"].text
    approved(run.corpus, row.question, text)  # which reads the corpus
    known = approved._known[run.corpus.path, run.corpus.origin.created]
    asked = [n for n, example in enumerate(known.examples) if example.question == row.question]
    before, known.questions[asked] = known.questions[asked], 0
    beside = approved(run.corpus, row.question, text)
    known.questions[asked] = before
    if beside is None:
        return False, False, False
    offered = beside.asked or beside.answer
    same = beside.answer.strip() == row.approved.strip()
    unsure = bool(why_unsure(make_link(run), beside))
    return same, unsure, offered.strip() == row.approved.strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
