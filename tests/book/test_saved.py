"""The saved outputs in the repository: they fit the code of their chapters, and stay small."""

import pytest
from building import ROOT

from book.saved import PREFIX, kernel_of, load, saved_path

CHAPTERS = sorted((ROOT / "chapters").glob("*.md"))
PAGES = [f"chapters/{path.stem}" for path in CHAPTERS if (kernel_of(path) or "").startswith(PREFIX)]


def test_every_framework_has_a_chapter():
    folders = (ROOT / "frameworks").glob("*/requirements.txt")
    assert [page.removeprefix("chapters/") for page in PAGES] == sorted(
        path.parent.name for path in folders
    )


@pytest.mark.parametrize("page", PAGES)
def test_saved_outputs_fit_the_chapter(page):
    saved = load(ROOT, page)
    assert saved, f"{page} or what it runs has changed: make book, then make frameworks-outputs"
    kinds = [output["output_type"] for outputs in saved["outputs"] for output in outputs]
    assert kinds
    assert "error" not in kinds
    assert saved_path(ROOT, page).stat().st_size < 500e3
