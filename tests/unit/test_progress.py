"""The progress bar: when it is drawn, what it says, and what a log file gets instead."""

from __future__ import annotations

import io

from fleetlab.progress import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_on_a_terminal_after_two_seconds_and_wiped() -> None:
    clock = iter([0.0, 1.9, 2.1])
    terminal = Terminal()
    bar = Bar(terminal, "packing", now_s=lambda: next(clock))
    bar.show(0.25)
    assert terminal.getvalue() == ""
    bar.show(0.5)
    assert terminal.getvalue() == "\rpacking [" + "#" * 20 + "." * 20 + "]  50 %"
    bar.clear()
    assert terminal.getvalue().endswith("\r")


def test_the_bar_is_drawn_ten_times_a_second_at_most() -> None:
    clock = iter([0.0, 2.0, 2.05, 2.1])
    terminal = Terminal()
    bar = Bar(terminal, now_s=lambda: next(clock))
    for share in (0.1, 0.2, 0.3):
        bar.show(share)
    assert " 10 %" in terminal.getvalue()
    assert " 20 %" not in terminal.getvalue()
    assert " 30 %" in terminal.getvalue()


def test_a_shorter_note_leaves_nothing_of_a_longer_one() -> None:
    clock = iter([0.0, 2.0, 3.0])
    terminal = Terminal()
    bar = Bar(terminal, now_s=lambda: next(clock))
    bar.show(0.1, "twelve left")
    bar.show(0.2)
    first, second = terminal.getvalue().split("\r")[1:]
    assert len(second) == len(first)
    assert second.rstrip().endswith("20 %")


def test_a_file_gets_a_line_every_half_minute_and_nothing_to_wipe() -> None:
    clock = iter([0.0, 29.0, 31.0, 32.0, 62.0])
    log = io.StringIO()
    bar = Bar(log, "replaying", now_s=lambda: next(clock))
    for share in (0.1, 0.2, 0.3, 0.4):
        bar.show(share)
    bar.clear()
    assert log.getvalue() == "replaying 20 %\nreplaying 40 %\n"
