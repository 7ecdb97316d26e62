"""Fold the solutions of exercises like every other answer of the book: natively, as `details`."""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_design.shared import create_component
from sphinx_exercise.nodes import is_exercise_node, is_solution_node


class FoldSolutions(SphinxPostTransform):
    """Turn a solution of class "dropdown" into a dropdown; give no id twice on a page."""

    default_priority = 100  # sphinx-exercise has made the titles, sphinx-design has yet to fold
    formats = ("html",)

    def run(self, **kwargs):
        """Replace the solutions, and the bodies that sphinx-exercise gives the same id each."""
        for exercise in self.document.findall(is_exercise_node):
            exercise[1]["ids"] = []
        for solution in list(self.document.findall(is_solution_node)):
            title, *bodies = solution.children
            content = [node for body in bodies for node in body.children]
            name = title.astext().partition(" (")[0]  # without the exercise's own remark
            if "dropdown" in solution["classes"]:
                solution.replace_self(dropdown(name, content))


def dropdown(title, content):
    """Return what the directive `dropdown` makes of a title and its content."""
    component = create_component(
        "dropdown", opened=False, type="dropdown", has_title=True, icon=None, chevron=None,
        container_classes=["sd-mb-3"], title_classes=[], body_classes=[],
    )  # fmt: skip
    component += [nodes.rubric(title, title), *content]
    return component


def write_one_page_as_html(app):
    """Let the single page use the writers of all nodes for HTML.

    sphinx-exercise names writers for that builder, for its own nodes; Sphinx then knows no others.
    """
    app.registry.translation_handlers.pop("singlehtml", None)


def setup(app):
    """Register with Sphinx."""
    app.add_post_transform(FoldSolutions)
    app.connect("builder-inited", write_one_page_as_html)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
