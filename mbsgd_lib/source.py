"""Show in a chapter the very code that the chapter runs."""

import ast
import inspect
import re
import textwrap

from IPython.display import Markdown


def show_source(*objects: object) -> Markdown:
    """Display the source of functions or classes, docstrings cut to their first line."""
    blocks = "\n\n".join(short_source(obj) for obj in objects)
    return Markdown(f"````python\n{blocks}\n````")


def short_source(obj: object) -> str:
    """Return the source of `obj` with every docstring cut to its first line."""
    return shorten(inspect.getsource(obj))


def shorten(source: str) -> str:
    """Cut every docstring to its first line, and leave out comments that are for tools."""
    source = textwrap.dedent(source)
    lines = source.splitlines()
    holders = (ast.FunctionDef, ast.ClassDef)
    for node in reversed([n for n in ast.walk(ast.parse(source)) if isinstance(n, holders)]):
        text = ast.get_docstring(node)
        if text and "\n" in text:
            first, last = node.body[0].lineno - 1, node.body[0].end_lineno
            indent = " " * node.body[0].col_offset
            lines[first:last] = [f'{indent}"""{text.splitlines()[0]}"""']
    return re.sub(r"  # (noqa|fmt: skip).*", "", "\n".join(lines))
