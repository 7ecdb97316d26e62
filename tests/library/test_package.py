import ast
import inspect
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import mbsgd_lib

FOLDER = Path(mbsgd_lib.__file__).parent
FLOORS = [  # a module imports only from those before it; those of one folder share a floor
    "processor", "devices", "table", "timer", "schedules", "run", "data", "kernels",
    "theory", "stability", "noise", "floor", "expected", "batchnorm", "blocked", "compiled",
    "machine", "methods", "frameworks", "training", "grid", "growth", "parallel", "exercises",
    "picture", "exchange", "anatomy", "charts", "plot", "source", "told", "replay", "explore",
]  # fmt: skip
WITHOUT_TORCH = [  # what a chapter may import where another framework runs
    "charts", "frameworks", "frameworks.common", "frameworks.speed", "picture", "plot",
    "processor", "run", "schedules", "source", "table", "timer", "told",
]  # fmt: skip


def module_name(path):
    """Return the name of a file's module within the package."""
    return ".".join(path.relative_to(FOLDER).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(FOLDER.rglob("*.py"))}
del MODULES["__init__"]  # the way in: it stands outside of the house


def imported_modules(path):
    """Return the library's own modules that a file imports, anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    own = [name.removeprefix("mbsgd_lib.") for name in names if name.startswith("mbsgd_lib.")]
    return {name if name in MODULES else name.rpartition(".")[0] for name in own}


def floor(module):
    return module.partition(".")[0]


@pytest.mark.parametrize("module", [name for name in MODULES if floor(name) in FLOORS])
def test_module_imports_only_from_the_floors_below(module):
    allowed = {*FLOORS[: FLOORS.index(floor(module))]}
    if "." in module or MODULES[module].name == "__init__.py":
        allowed.add(floor(module))  # within one folder; see the next test
    assert {floor(name) for name in imported_modules(MODULES[module])} <= allowed


def test_no_module_imports_itself_in_a_circle():
    sorter = TopologicalSorter({name: imported_modules(path) for name, path in MODULES.items()})
    assert set(sorter.static_order()) == set(MODULES)


def run_python(code):
    """Run code in a Python of its own; return its status and what it printed."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


def test_import_is_light_and_quiet():
    heavy = {"torch", "matplotlib", "ipywidgets", "IPython", "numba"}
    code = f"import sys, mbsgd_lib; print({heavy} & set(sys.modules))"
    assert run_python(code) == (0, "set()", "")


def test_public_names_without_figures():
    heavy = {"matplotlib", "ipywidgets", "IPython", "numba"}
    code = f"import sys; from mbsgd_lib import *; print({heavy} & set(sys.modules))"
    assert run_python(code) == (0, "set()", "")


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_works_without_torch(module):
    block = "import sys; sys.modules['torch'] = None"  # from now on importing it fails
    assert run_python(f"{block}; import mbsgd_lib.{module}") == (0, "", "")


def test_clock_and_runs_without_torch():
    code = """
import sys
sys.modules["torch"] = None
from mbsgd_lib import Run, Timer, measure
assert measure(lambda: None, repeats=2).min >= 0
with Timer():
    pass
try:
    from mbsgd_lib import train
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert run_python(code) == (0, "torch", "")


@pytest.mark.parametrize("first", ["mbsgd_lib.training", "mbsgd_lib.grid", "mbsgd_lib.plot"])
def test_a_public_name_is_the_same_whatever_was_imported_before(first):
    code = f"import {first}; from mbsgd_lib import noise, train; print(train.__name__)"
    assert run_python(code) == (0, "train", "")


def test_unknown_name():
    with pytest.raises(AttributeError, match="'mbsgd_lib' has no attribute 'trian'"):
        _ = mbsgd_lib.trian


def test_public_names():
    assert set(mbsgd_lib.__all__) <= set(dir(mbsgd_lib))
    assert not set(mbsgd_lib.__all__) & set(MODULES), "a module would hide a name"
    assert sorted(mbsgd_lib.__all__) == sorted(set(mbsgd_lib.__all__))
    promised = {
        "load_airfoil", "minibatches", "data_loader", "Timer", "measure", "gflop",
        "benchmark_matmul", "matmul_element", "matmul_row", "matmul_column", "matmul_panel",
        "matmul_tile", "matmul_whole", "least_squares", "hessian_spectrum", "stability_limit",
        "sgd", "linreg", "squared_loss", "train", "Run", "SOURCE_RUNS",
    }  # fmt: skip
    assert promised <= set(mbsgd_lib.__all__)


@pytest.mark.parametrize("name", sorted(set(mbsgd_lib.__all__) - {"SOURCE_RUNS"}))
def test_public_names_are_documented(name):
    assert len(inspect.getdoc(getattr(mbsgd_lib, name)).splitlines()[0]) > 20
