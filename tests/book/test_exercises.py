"""Each exercise of the built pages has a check that waits, a hint and a folded solution."""

import pytest

CHAPTERS = {"chapters/exercises.html": 4, "chapters/challenges.html": 11}


@pytest.fixture(params=CHAPTERS.items(), ids=["exercises", "challenges"])
def chapter(request, pages):
    """One of the two pages, and how many exercises it should have."""
    name, count = request.param
    return pages[name], count


def test_each_exercise_has_its_parts(chapter):
    page, count = chapter
    assert len(page.select("div.exercise")) == count
    waiting = [cell for cell in page.select(".cell_output") if "Not answered yet." in cell.text]
    assert len(waiting) == count
    summaries = [summary.get_text(strip=True) for summary in page.select("details > summary")]
    assert sum(text == "Hint" for text in summaries) == count
    assert sum(text.startswith("Solution to Exercise ") for text in summaries) == count
    assert len(set(summaries)) == count + 1


def test_solutions_are_folded_executed_and_right(chapter):
    page, count = chapter
    solutions = page.select("details.solution")
    assert len(solutions) == count
    for solution in solutions:
        assert not solution.has_attr("open")
        assert solution.select(".cell_input")
        assert "Right." in solution.text
        assert "Not right yet." not in solution.text
    assert page.select("details.solution ~ .cell") == []  # nothing after its end was left outside


def test_no_id_twice(chapter):
    page, _ = chapter
    ids = [element["id"] for element in page.select("article [id]")]
    assert len(ids) == len(set(ids))
