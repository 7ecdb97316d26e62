"""Show code of the library that the page's kernel can't import: ``library-code`` with path::name.

The name may be that of a method, as in ``Class.method``; docstrings are cut to their first line.
"""

import ast
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from mbsgd_lib.source import shorten


class LibraryCode(SphinxDirective):
    """Read functions and classes from the text of a module."""

    required_arguments = 1

    def run(self):
        """Return the code; a change of the module makes Sphinx read the page again."""
        name, place = self.arguments[0].split("::")
        _, path = self.env.relfn2path(name)
        self.env.note_dependency(path)
        code = shorten(find(Path(path).read_text("utf8"), place))
        block = nodes.literal_block(code, code, language="python")
        self.set_source_info(block)
        return [block]


def find(text, place):
    """Return the lines that define `place`, a dotted name, decorators included."""
    node = ast.parse(text)
    for part in place.split("."):
        node = next(child for child in node.body if getattr(child, "name", None) == part)
    start = min(each.lineno for each in [node, *node.decorator_list])
    return "\n".join(text.splitlines()[start - 1 : node.end_lineno])


def setup(app):
    """Register with Sphinx."""
    app.add_directive("library-code", LibraryCode)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
