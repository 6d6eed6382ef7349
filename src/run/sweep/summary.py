"""What a sweep came to, for the terminal and for a message."""

import shlex
from collections.abc import Sequence
from typing import Any

from src.run.sweep.past import DONE
from src.run.sweep.plan import Plan, Row
from src.run.sweep.progress import best
from src.run.sweep.trial import Trial


def refusals(refused: Sequence[Trial]) -> str:
    """Combinations by the sentence that refuses them."""
    reasons = dict.fromkeys(trial.refusal for trial in refused)
    lines = []
    for reason in reasons:
        lines.append(f"  {reason}")
        lines += [f"    {trial.name}" for trial in refused if trial.refusal == reason]
    return "\n".join(lines)


def show(plan: Plan, left_out: int) -> None:
    """Print it."""
    rows = plan.rows
    bad = [row for row in rows if row.state not in DONE]
    out = f" ({left_out} more cannot work and were left out)" if left_out else ""
    print(f"\n{len(rows) - len(bad)} of {len(rows)} jobs finished{out}" + (", these did not:" if bad else ""))
    for row in bad:
        print(f"  {row.name}\n    {row.trouble or 'not started'}")
        if row.trouble:
            print(f"    {plan.folder / row.folder / 'log.txt'}")
    top = best(rows)
    if top:
        print(f"best:   {top.score:.4f} {top.name}\n        {plan.folder / top.folder}")
    runs, output = (shlex.quote(str(path)) for path in (plan.folder, plan.folder / "report"))
    print(f"sweep:  {plan.folder}\nreport: python -m src.report runs={runs} output={output}", flush=True)


def message(plan: Plan, left_out: int, seconds: float) -> dict[str, Any]:
    """The same as plain values; `text` is what chats show."""
    rows, top = plan.rows, best(plan.rows)
    failures = [row for row in rows if row.trouble]
    finished = sum(row.state in DONE for row in rows)
    words = [f"Sweep {plan.folder.name}: {finished} of {len(rows)} jobs finished"]
    words += [f"{len(failures)} failed"] if failures else []
    words += [f"best {top.score:.4f} ({_short(top)})"] if top else []
    return {
        "text": ", ".join(words),
        "folder": str(plan.folder.absolute()),
        "jobs": len(rows),
        "finished": finished,
        "left_out": left_out,
        "seconds": round(seconds, 1),
        "best": top and {"job": _short(top), "score": top.score, "folder": top.folder},
        "failures": [{"job": _short(row), "error": row.trouble, "folder": row.folder} for row in failures],
    }


def _short(row: Row) -> str:
    return row.name.partition("] ")[2]
