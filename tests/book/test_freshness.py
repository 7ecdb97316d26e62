"""A change of the library, and only that, makes a build run its pages anew."""

import shutil

import pytest
from building import ROOT, build

PAGE = """---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---
# {title}

```{{code-cell}}
print("{title}")
```
"""


@pytest.fixture
def small_book(tmp_path):
    """A book of two pages, with the configuration and the extensions of the course."""
    source = tmp_path / "source"
    (source / "mbsgd_lib").mkdir(parents=True)
    (source / "mbsgd_lib" / "data.py").write_text("n = 1\n")
    shutil.copy(ROOT / "_config.yml", source)
    (source / "_toc.yml").write_text("{format: jb-book, root: one, chapters: [{file: two}]}")
    (source / "chapters").mkdir()
    (source / "chapters" / "references.bib").touch()
    shutil.copytree(ROOT / "book", source / "book")
    for title in ("one", "two"):
        (source / f"{title}.md").write_text(PAGE.format(title=title))
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
    (small_book / "two.md").write_text(PAGE.format(title="new"))
    assert executed() == 1
