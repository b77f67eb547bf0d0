"""The class on one page of HTML: what was predicted, how sure, and each ledger in a row.

The page needs nothing from anywhere, and every text in it is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from statistics import mean, quantiles

from fleetlab.ledger.grade import RULES, SURENESS, Answer, Row
from fleetlab.ledger.record import PARTS
from fleetlab.missions import TRACKS, mission
from fleetlab.missions.questions import CONFIDENCES, Question, questions
from fleetlab.wording import plural

STYLE = """
:root {
  color-scheme: light dark; --ground: #fbfaf7; --ink: #1d2430; --muted: #5f6979; --line: #e3e0d8;
  --bar: #5b7f9f; --good: #2a7750; --warm: #b84a18;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161d; --ink: #e8eaee; --muted: #98a2b1; --line: #2a313c; --good: #7fcba2;
    --warm: #f2a36b;
  }
}
body {
  font: 100%/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--ground); color: var(--ink); font-variant-numeric: tabular-nums;
}
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 2rem 0 0; }
h1, h2 { line-height: 1.25; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--muted); padding: .25rem 0 .75rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem 1rem .4rem 0; border-top: 1px solid var(--line); }
th { font-weight: 500; } thead th { color: var(--muted); font-weight: 400; }
.options thead th + th { width: 6rem; }
.bar { height: .6rem; margin-top: .25rem; background: var(--bar); min-width: 2px; }
.right .bar { background: repeating-linear-gradient(45deg, var(--good) 0 6px, #0000 6px 9px); outline: 1px solid var(--good); }
.mark { color: var(--good); }
.scroll { overflow-x: auto; }
.scroll table { width: max-content; min-width: 100%; }
.scroll td, .scroll th { max-width: 18rem; overflow-wrap: anywhere; }
.bad { color: var(--warm); }
@media print { .scroll { overflow: visible; } .scroll table { width: 100%; font-size: .7rem; } }
"""  # noqa: E501

HEADINGS = {
    "seal": "Sealed",
    "order": "In order",
    "prediction": "Predicted first",
    "evidence": "Own evidence",
    "paradox": "Paradox",
}


def html_page(rows: Sequence[Row], title: str = "Class table") -> str:
    """Return the whole page; ``rows`` come as ``grade`` made them."""
    body = "\n".join(
        [
            f"<h1>{escape(title)}</h1>",
            f"<p>{escape(_summary(rows))}</p>",
            *(_question_section(part, rows) for part in PARTS),
            _sureness_section(rows),
            _ledger_section(rows),
            _problem_section(rows),
        ]
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _summary(rows: Sequence[Row]) -> str:
    good = [row for row in rows if not row.problem]
    complete = sum(not row.missing for row in good)
    tracks = ", ".join(
        f"{sum(row.track == track for row in good)} on {mission(track).name}"
        for track in TRACKS
        if any(row.track == track for row in good)
    )
    where = f" ({tracks})" if tracks else ""
    sentences = [f"{plural(len(good), 'ledger')}{where}, {complete} of them complete."]
    if len(good) < len(rows):
        sentences.append(f"{plural(len(rows) - len(good), 'file')} could not be read.")
    again = [row for row in good if row.fails is not None]
    if again:
        held = sum(row.verification == "all holds" for row in again)
        sentences.append(f"{plural(len(again), 'ledger')} were run again; in {held} all holds.")
    return " ".join(sentences)


def _question_section(part: int, rows: Sequence[Row]) -> str:
    question = questions()[part]
    answers = [answer for row in rows if (answer := row.answer(part)) is not None]
    heading = f"<h2>Part {part}, {escape(question.title)}</h2>"
    if not answers:
        return f"{heading}\n<p>Nobody has predicted this part.</p>"
    right = sum(answer.right for answer in answers)
    body = "\n".join(_option_rows(question, answers))
    made = plural(len(answers), "prediction")
    return f"""{heading}
<table class="options">
<caption>{right} of {made} chose the answer of the lab.{_guesses(question, answers)}</caption>
<thead><tr><th scope="col">Option</th><th scope="col">Chosen</th>
<th scope="col">Mean confidence of 5</th></tr></thead>
<tbody>
{body}
</tbody>
</table>"""


def _guesses(question: Question, answers: list[Answer]) -> str:
    """Return in a sentence where the guessed numbers lie; nothing where none was asked."""
    guesses = [answer.guess for answer in answers if answer.guess is not None]
    if question.number is None or not guesses:
        return ""
    unit = escape(question.number.unit)
    if len(guesses) < 4:
        return f" Guessed: {', '.join(f'{guess:g}' for guess in sorted(guesses))} {unit}."
    low, middle, high = quantiles(guesses, method="inclusive")
    return (
        f" Half of the guesses lie from {low:g} to {high:g}, "
        f"and the middle one is {middle:g} {unit}."
    )


def _option_rows(question: Question, answers: list[Answer]) -> Iterator[str]:
    for choice, text in question.options:
        chosen = [answer for answer in answers if answer.choice == choice]
        share = len(chosen) / len(answers)
        sure = f"{mean(answer.confidence for answer in chosen):.1f}" if chosen else "–"
        right = choice == question.answer
        kind, mark = ' class="right"', ' <span class="mark">✓ the answer of the lab</span>'
        bar = f'<div class="bar" style="width:{share:.1%}" aria-hidden="true"></div>'
        yield (
            f"<tr{kind if right else ''}>"
            f'<th scope="row">{escape(text)}{mark if right else ""}{bar}</th>'
            f"<td>{len(chosen)} ({share:.0%})</td><td>{sure}</td></tr>"
        )


def _sureness_section(rows: Sequence[Row]) -> str:
    answers = [answer for row in rows for answer in row.answers]
    if not answers:
        return ""
    lines = []
    for level, words in enumerate(CONFIDENCES, start=1):
        chosen = [answer for answer in answers if answer.confidence == level]
        right = f"{mean(answer.right for answer in chosen):.0%}" if chosen else "–"
        meant = f"{SURENESS[level]:.0%}" if level in SURENESS else "one over the number of options"
        lines.append(
            f'<tr><th scope="row">{escape(words)}</th><td>{len(chosen)}</td><td>{right}</td>'
            f"<td>{meant}</td></tr>"
        )
    score = mean(answer.brier for answer in answers)
    body = "\n".join(lines)
    return f"""<h2>How sure, and how often right</h2>
<table>
<caption>Mean Brier score {score:.2f}. 0 is best; whoever is always half sure has 0.25.</caption>
<thead><tr><th scope="col">Confidence</th><th scope="col">Predictions</th><th scope="col">Right</th>
<th scope="col">Counted as</th></tr></thead>
<tbody>
{body}
</tbody>
</table>"""


def _ledger_section(rows: Sequence[Row]) -> str:
    good = [row for row in rows if not row.problem]
    if not good:
        return ""
    again = any(row.verification for row in good)
    headings = [
        "Name", "Track", "Seed", *(f"Part {part}" for part in PARTS), "Brier", "Runs",
        *(HEADINGS[rule] for rule in RULES), *(["Run again"] if again else []), "Priority",
        "Missing", "Shares entries with",
    ]  # fmt: skip
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    body = "\n".join(_ledger_row(row, again) for row in good)
    return f"""<h2>Ledgers</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Ledgers">
<table>
<caption>One row a ledger; a name in colour and with ⚑ is worth a look.</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>"""


def _ledger_row(row: Row, again: bool) -> str:
    cells: list[object] = [mission(row.track).name, "" if row.seed is None else row.seed]
    for part in PARTS:
        answer = row.answer(part)
        cells.append("" if answer is None else "✓" if answer.right else answer.choice)
    cells += ["" if row.brier is None else f"{row.brier:.2f}", row.runs]
    cells += [word for _, word in row.checks]
    if again:
        figures = f" ({row.fails} of {row.holds + row.fails + (row.unchecked or 0)} do not)" if (
            row.holds is not None and row.fails
        ) else ""  # fmt: skip
        cells.append(row.verification + figures)
    cells += [row.priority, "; ".join(row.missing) or "nothing", ", ".join(row.shares_with)]
    bad = "no" in dict(row.checks).values() or row.fails or row.shares_with
    name = escape(row.name)
    if bad:
        name = f'<span class="bad">⚑ {name}</span>'
    rest = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
    return f'<tr><th scope="row">{name}</th>{rest}</tr>'


def _problem_section(rows: Sequence[Row]) -> str:
    bad = [row for row in rows if row.problem]
    if not bad:
        return ""
    body = "\n".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td>{escape(row.problem)}</td></tr>'
        for row in bad
    )
    return f"""<h2>Files that could not be read</h2>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">What is wrong</th></tr></thead>
<tbody>
{body}
</tbody>
</table>"""
