"""A change of the library, and only that, makes a build run its pages anew."""

import pytest
from building import build, make_book, page


def say(title):
    return page(title, f'```{{code-cell}}\nprint("{title}")\n```')


@pytest.fixture
def small_book(tmp_path):
    """A book of two pages and a library of one module."""
    source = tmp_path / "source"
    make_book(source, one=say("one"), two=say("two"))
    (source / "mbsgd_lib").mkdir()
    (source / "mbsgd_lib" / "data.py").write_text("n = 1\n")
    return source


def test_cache_follows_the_library(small_book, tmp_path, monkeypatch):
    monkeypatch.setenv("MBSGD_REPLAY_DIR", str(tmp_path))  # nothing to record here

    def executed():
        return build(small_book, tmp_path, "--all").count("Executed notebook")

    assert executed() == 2
    assert executed() == 0
    (small_book / "mbsgd_lib" / "data.py").write_text("n = 2\n")
    assert executed() == 2
    assert len(list((tmp_path / "_build" / ".state").iterdir())) == 1
    (small_book / "two.md").write_text(say("new"))
    assert executed() == 1
