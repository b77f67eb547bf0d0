"""What each part asks: the answer is among the options and stays out of the page."""

import pytest

from fleetlab.missions.questions import questions


@pytest.mark.parametrize("part", [1, 2, 3])
def test_the_answer_is_one_of_the_options(part: int) -> None:
    question = questions()[part]
    assert question.answer in dict(question.options)
    assert question.text(question.answer)


@pytest.mark.parametrize("part", [1, 2, 3])
def test_what_the_page_holds_before_the_prediction_has_no_answer(part: int) -> None:
    shown = questions()[part].for_page()
    assert "answer" not in shown
    assert {"part", "name", "title", "options", "number", "words"} == set(shown)


def test_a_choice_that_was_never_offered_has_no_words() -> None:
    with pytest.raises(KeyError, match="never"):
        questions()[1].text("never")
