"""Save the outputs of the frameworks' chapters, for machines without their kernels.

Run as ``python book/save_outputs.py [FOLDER]`` after a build of the book with all kernels there;
FOLDER is that of the build. If anything is missing it says so and changes nothing.
"""

import json
import re
import sys
from pathlib import Path

from freshness import digest
from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook
from myst_nb.core.render import get_mime_priority
from saved import find_kernel, fingerprint, framework, kernel_of, saved_path
from sphinx_external_toc.parsing import parse_toc_yaml

from mbsgd_lib.processor import processor

ROOT = Path(__file__).parents[1]
KINDS = get_mime_priority("html", [("html", "text/html", 0)])  # as in _config.yml
TOOLS = ("ipykernel", "matplotlib", "myst-nb")  # every framework's environment has them
PYTHON = "python3"  # the course's own kernel: a machine that builds the book has it


def main(root, folder):
    """Save every page with a kernel of its own, all or none."""
    kernels = {page: kernel_of(root / f"{page}.md") for page in parse_toc_yaml(root / "_toc.yml")}
    kernels = {page: name for page, name in kernels.items() if name not in (None, PYTHON)}
    if missing := sorted({name for name in kernels.values() if not find_kernel(name)}):
        refuse(f"no kernel {', '.join(missing)} (make frameworks sets it up)")
    cache = get_cache(folder / ".state" / digest(root) / "executed")
    saved = {page: executed(root, page, cache) for page in kernels}
    if missing := [page for page, outputs in saved.items() if outputs is None]:
        refuse(f"not executed as it is now: {', '.join(missing)} (make book does it)")
    texts = {saved_path(root, page): as_text(outputs, root) for page, outputs in saved.items()}
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf8")
        print(f"{path.relative_to(root)}: {len(text) / 1e3:.0f} kB")


def refuse(reason):
    """Stop before anything is changed, and say why."""
    sys.exit(f"The saved outputs stay as they are: {reason}.")


def executed(root, page, cache):
    """Return what the last build made of a page, or None."""
    notebook = read_myst_markdown_notebook((root / f"{page}.md").read_text("utf8"))
    try:
        record = cache.match_cache_notebook(notebook)
    except KeyError:
        return None
    _, notebook = cache.merge_match_into_notebook(notebook)
    metadata = notebook.metadata
    return {
        "fingerprint": fingerprint(root, page),
        "date": record.created.date().isoformat(),
        "processor": processor(),
        "versions": pinned(root, framework(metadata.kernelspec.name))
        | {"Python": metadata.language_info.version},
        "outputs": [
            [shown(output) for output in cell.outputs]
            for cell in notebook.cells
            if cell.cell_type == "code"
        ],
    }


def pinned(root, name):
    """Return the versions that the outputs of a framework belong to, by package."""
    folder = root / "frameworks" / name
    if not folder.exists():
        return {}
    wanted = packages(r"^[\w-]+", folder / "requirements.txt")
    pins = packages(r"^(\S+)==(\S+)", folder / "constraints.txt")
    versions = {name.replace("_", "-"): number for name, number in pins}
    return {name: versions[name] for name in wanted if name in versions and name not in TOOLS}


def packages(pattern, path):
    """Return what matches in a list of packages."""
    return re.findall(pattern, path.read_text("utf8"), re.MULTILINE)


def shown(output):
    """Return an output without what no page shows."""
    kept = {key: value for key, value in output.items() if key != "execution_count"}
    if "data" in output and "scrapbook" not in output.metadata:
        first = next((kind for kind in KINDS if kind in output.data), None)
        kept["data"] = {kind: data for kind, data in output.data.items() if kind == first}
    return kept


def as_text(saved, root):
    """Return what stands in the file: the same for the same outputs, without names of folders."""
    text = json.dumps(saved, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if str(root) in text or f"{Path.home()}/" in text:
        refuse("a chapter shows the name of a folder of this machine")
    return text


if __name__ == "__main__":
    main(ROOT, Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build")
