"""Every framework arrives where PyTorch does, from the same start and with the same batches."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from mbsgd_lib import SOURCE_RUNS, load_airfoil, train
from mbsgd_lib.frameworks.common import product_shape
from mbsgd_lib.grid import draws
from mbsgd_lib.schedules import step_decay

ROOT = Path(__file__).parents[2]
METHODS = {
    "mxnet": ["eager", "loader", "concise", "hybrid"],
    "tensorflow": ["eager", "concise", "function", "epoch", "xla"],
    "jax": ["eager", "concise", "jit", "scan"],
}
CASES = {name: dict(run) for name, run in SOURCE_RUNS.items()} | {
    "sgd": SOURCE_RUNS["sgd"] | {"num_epochs": 1},  # 1,500 updates are enough
    "short last batch": {"batch_size": 64, "lr": 0.1, "num_epochs": 2},
    "a last batch of one": {"batch_size": 1499, "lr": 0.05, "num_epochs": 3},
    "step decay": {"batch_size": 10, "lr": 0.05, "num_epochs": 3},
}
# Too slow for 1,500 updates; the case with a last batch of one asks them for batch size 1.
SLOW = {"eager", "loader", "concise"}
LOSS = 1e-4  # the most that two frameworks may differ
WAYS = ["element", "column", "panel", "whole"]


def methods(framework, name):
    """Return the methods of a framework that are asked about a case."""
    slow = SLOW if CASES[name]["batch_size"] == 1 else set()
    return [method for method in METHODS[framework] if method not in slow]


def ask(framework, path):
    """Write the questions: cases with their draws, and two matrices."""
    X, asked, cases = load_airfoil().X, {}, []
    for seed, (name, case) in enumerate(CASES.items()):
        theta, orders = draws(seed, X, case["num_epochs"], False)
        asked |= {f"{name} theta": theta, f"{name} orders": np.stack(orders)}
        asks = {"name": name, "schedule": name == "step decay"}
        cases.append(case | asks | {"methods": methods(framework, name)})
    rng = np.random.default_rng(0)
    asked |= {"B": rng.standard_normal((4, 8)), "C": rng.standard_normal((8, 7))}
    asked |= {name: asked[name].astype(np.float32) for name in "BC"}
    np.savez(path, cases=json.dumps(cases), **asked)


@pytest.fixture(scope="session")
def answers(tmp_path_factory):
    """Return a function that asks a framework, once, in a process of its own environment."""
    known = {}

    def of(framework, python):
        if framework not in known:
            folder = tmp_path_factory.mktemp(framework)
            ask(framework, folder / "questions.npz")
            files = [folder / "questions.npz", folder / "answers.npz"]
            command = [python, Path(__file__).with_name("answer.py"), framework, *files]
            env = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            known[framework] = np.load(files[1])
        return known[framework]

    return of


@pytest.fixture(params=METHODS)
def told(request, framework_python, answers):
    """Return all answers of one framework, its name with them."""
    return request.param, answers(request.param, framework_python(request.param))


def test_methods_and_no_torch(told):
    framework, told = told
    assert told["methods"].tolist() == METHODS[framework]
    assert not told["torch"]


@pytest.mark.parametrize("name", CASES)
def test_same_losses_as_pytorch(told, name):
    framework, told = told
    case = dict(CASES[name])
    if name == "step decay":
        case["lr"] = step_decay(case["lr"])
    run = train(**case, seed=list(CASES).index(name))
    assert not run.diverged
    for method in methods(framework, name):
        np.testing.assert_array_equal(told[f"{name} {method} updates"], run.updates)
        np.testing.assert_allclose(told[f"{name} {method} loss"], run.loss, rtol=0, atol=LOSS)
        theta = [*run.w.tolist(), run.b]
        np.testing.assert_allclose(told[f"{name} {method} theta"], theta, rtol=0, atol=1e-4)
        assert (np.diff(told[f"{name} {method} seconds"]) > 0).all()


def test_products(told):
    _, told = told
    rng = np.random.default_rng(0)
    expected = rng.standard_normal((4, 8)) @ rng.standard_normal((8, 7))
    for way in [*WAYS, "narrow panels"]:
        np.testing.assert_allclose(told[way], expected, atol=1e-5)


def test_bad_arguments_are_named(told):
    _, told = told
    for name in ("batch_size", "lr", "num_epochs", "method"):
        assert str(told[f"bad {name}"]).startswith(f"ValueError: {name} must")
    assert str(told["no panel"]).startswith("ValueError: width must be a whole number")
    for way in WAYS:
        assert str(told[f"{way} misfit"]).startswith("ValueError: B and C must have shapes")


def test_shape_of_a_product():
    assert product_shape(np.zeros((2, 3)), np.zeros((3, 4))) == (2, 4)
    for B, C in [((2, 3), (2, 3)), ((3,), (3, 3)), ((2, 3), (3,))]:
        with pytest.raises(ValueError, match="must have shapes"):
            product_shape(np.zeros(B), np.zeros(C))
