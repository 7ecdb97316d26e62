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
    "devices", "data", "timer", "kernels", "theory", "schedules", "noise", "floor", "expected",
    "batchnorm", "blocked", "compiled", "machine", "methods", "run", "train", "grid", "growth",
    "parallel", "picture", "exchange", "anatomy", "charts", "plot", "source", "replay", "explore",
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


def test_import_is_light_and_quiet():
    heavy = {"matplotlib", "ipywidgets", "IPython", "numba"}
    code = f"import sys, mbsgd_lib; print({heavy} & set(sys.modules))"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "set()", "")


def test_public_names():
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
