"""Outputs of chapters, saved for machines that lack their kernel, and what they belong to.

A saved output counts as long as the code that made it is the same: the code cells of the chapter,
the framework's module with what all frameworks share, and the pinned packages.
"""

import hashlib
import json
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import read_topmatter

PREFIX = "mbsgd-"  # of the kernels' names, before the framework's
CODE = (
    "mbsgd_lib/frameworks/common.py",
    "mbsgd_lib/frameworks/speed.py",
    "mbsgd_lib/frameworks/{}.py",
    "frameworks/{}/requirements.txt",
    "frameworks/{}/constraints.txt",
)


def find_kernel(name):
    """Return the specification of a kernel, found as the execution finds it, or None."""
    try:
        kernel = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        return None
    program = Path(kernel.argv[0])  # its environment may have been removed since
    return None if program.is_absolute() and not program.exists() else kernel


def kernel_of(path):
    """Return the name of the kernel that a page asks for, or None."""
    metadata = read_topmatter(path.read_text("utf8")) or {}
    return metadata.get("kernelspec", {}).get("name")


def framework(kernel_name):
    """Return the name of a framework's module from that of its kernel."""
    return kernel_name.removeprefix(PREFIX)


def fingerprint(root, page):
    """Return one hash of all that the outputs of a page depend on."""
    notebook = read_myst_markdown_notebook((root / f"{page}.md").read_text("utf8"))
    total = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            total.update(cell.source.encode() + b"\0")
    name = framework(notebook.metadata["kernelspec"]["name"])
    for path in (root / pattern.format(name) for pattern in CODE):
        total.update(path.read_bytes() if path.exists() else b"\0")
    return total.hexdigest()[:16]


def saved_path(root, page):
    """Return where the outputs of a page are saved."""
    return root / "book" / "outputs" / f"{Path(page).name}.json"


def load(root, page):
    """Return the saved outputs of a page, or None where none fit its present code."""
    path = saved_path(root, page)
    if not path.exists():
        return None
    saved = json.loads(path.read_text("utf8"))
    return saved if saved["fingerprint"] == fingerprint(root, page) else None
