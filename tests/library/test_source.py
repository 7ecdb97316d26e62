import ast
import importlib
import inspect
import re
import textwrap

import pytest

from mbsgd_lib.source import show_source

MODULES = ["data", "timer", "kernels", "theory", "methods", "training", "plot", "source"]
MODULES = [importlib.import_module(f"mbsgd_lib.{name}") for name in MODULES]
OBJECTS = [
    value
    for module in MODULES
    for value in vars(module).values()
    if inspect.isclass(value) or inspect.isfunction(value)
    if value.__module__ == module.__name__
]

TOOLS = re.compile("# (noqa|fmt: skip)")  # comments for tools, not for readers


def code(*objects):
    """Return what a chapter shows, without its fence."""
    text = show_source(*objects).data
    assert text.startswith("````python\n")
    assert text.endswith("\n````")
    return text.removeprefix("````python\n").removesuffix("\n````")


def docstrings(tree):
    """Cut all docstrings out of a syntax tree and return them."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            found.append(ast.get_docstring(node))
            node.body[0].value.value = ""
    return found


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: f"{obj.__module__}.{obj.__name__}")
def test_shown_source_is_the_code_that_runs(obj):
    original = textwrap.dedent(inspect.getsource(obj))
    shown = code(obj)
    compile(shown, "chapter", "exec")
    trees = ast.parse(original), ast.parse(shown)
    full, short = map(docstrings, trees)
    assert ast.dump(trees[0]) == ast.dump(trees[1])
    assert short == [text.splitlines()[0] for text in full]
    comments = [line for line in original.splitlines() if "#" in line and not TOOLS.search(line)]
    assert shown.count("#") >= len(comments)
    assert not TOOLS.search(shown)


def test_comments_stay_and_methods_lose_their_long_docstrings():
    def outer():
        """First line.

        More.
        """

        class Inner:
            """Inner first line.

            More.
            """

            value = 1  # why

        return Inner

    expected = '''\
def outer():
    """First line."""

    class Inner:
        """Inner first line."""

        value = 1  # why

    return Inner'''
    assert code(outer) == expected


def test_several_objects_stand_in_one_block():
    first, second = OBJECTS[:2]
    assert code(first, second) == f"{code(first)}\n\n{code(second)}"
