"""The table of a course, by hand."""

from __future__ import annotations

from fleetlab.app.instruments.course import ROWS, Course, course_table


def test_a_course_is_a_table_of_its_line_at_even_hours_with_the_marks_before() -> None:
    course = Course((((0.0, 24.0), (0.0, 48.0)),), ((6.5, 13.0), (20.0, 40.0)), 24, 0, 50, "done")
    rows = course_table(course)
    assert rows[0] == ["hours", "done", "interruptions so far"]
    assert rows[1] == ["0.0", "0.0", "0"]
    assert rows[13] == ["12.0", "24.0", "1"]
    assert rows[-1] == ["24.0", "48.0", "2"]
    assert len(rows) == 1 + ROWS


def test_where_no_piece_of_the_line_lies_the_table_has_no_value() -> None:
    course = Course((((0.0, 10.0), (5.0, 5.0)), ((12.0, 24.0), (7.0, 7.0))), (), 24, 0, 9, "FPS")
    rows = course_table(course)
    assert rows[0] == ["hours", "FPS"]
    assert [row[1] for row in rows[11:14]] == ["5.0", "–", "7.0"]
