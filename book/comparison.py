"""Draw and tabulate what the frameworks' chapters measured, side by side.

A cell can't read what another page tells, so the directive ``comparison`` waits until all pages
are read. Its argument is "updates" (microseconds) or "products" (GFLOP/s), its option ``as`` what
to make of them, and each line of its content names one record as `told` does::

    chapter.md::framework-timings
"""

import ast
import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from side_by_side import FORMS, QUANTITIES
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)


class Comparison(nodes.General, nodes.Element):
    """Stands for a comparison until all pages are read."""


class ComparisonDirective(SphinxDirective):
    """Name what to compare, and note the pages that it comes from."""

    has_content = True
    required_arguments = 1
    option_spec = {"as": lambda text: directives.choice(text, tuple(FORMS))}  # noqa: RUF012

    def run(self):
        """Leave a placeholder; a change of a page that it names makes Sphinx read this one too."""
        quantity = directives.choice(self.arguments[0], tuple(QUANTITIES))
        node = Comparison(quantity=quantity, form=self.options["as"], records=[])
        for line in self.content:
            page, key = line.split("::")
            _, path = self.env.relfn2path(page)
            self.env.note_dependency(path)
            node["records"].append((self.env.path2doc(path), key))
        self.set_source_info(node)
        return [node]


class ResolveComparison(SphinxPostTransform):
    """Put the comparison in its place."""

    default_priority = 3

    def run(self, **kwargs):
        """Collect the records, and name the frameworks that have none."""
        for node in list(self.document.findall(Comparison)):
            found = [(page, self.record(page, key, node)) for page, key in node["records"]]
            records = [record for _, record in found if record]
            absent = [self.kernel(page) for page, record in found if not record]
            node.replace_self(FORMS[node["form"]](records, node["quantity"], absent))

    def record(self, page, key, node):
        """Return what a page told, marked as saved or not; None if it was not executed."""
        missing = self.config.course_missing
        if missing.get(page, True) is None:
            return None
        path = Path(self.env.mystnb_config.output_folder, f"{page}.glue.json")
        glued = json.loads(path.read_text("utf8")) if path.exists() else {}
        if key not in glued:
            logger.warning("%s tells no %s", page, key, location=node)
            return None
        return ast.literal_eval(glued[key]["data"]["text/plain"]) | {"saved": page in missing}

    def kernel(self, page):
        """Return the name of a page's kernel as readers know it."""
        return self.env.metadata[page]["kernelspec"]["display_name"]


def setup(app):
    """Register with Sphinx."""
    app.add_node(Comparison)
    app.add_directive("comparison", ComparisonDirective)
    app.add_post_transform(ResolveComparison)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
