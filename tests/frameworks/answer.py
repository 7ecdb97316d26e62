"""Run in a framework's own environment: answer what test_frameworks.py asks.

Arguments: the framework, the questions (.npz), the answers to write (.npz).
"""

import importlib
import json
import sys
import warnings

import numpy as np

warnings.simplefilter("error")
# MXNet 1.9.1 is older than the NumPy and the Python it runs on: it uses names that are going away.
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"mxnet\.")

from mbsgd_lib.schedules import step_decay  # noqa: E402

framework, questions, answers = sys.argv[1:]
asked = np.load(questions)
module = importlib.import_module(f"mbsgd_lib.frameworks.{framework}")
array = {"mxnet": "np.array", "tensorflow": "tf.constant", "jax": "jnp.asarray"}[framework]
told = {"methods": list(module.METHODS), "torch": "torch" in sys.modules}


def to_array(values):
    """Return `values` as an array of the framework."""
    package, function = array.split(".")
    return getattr(getattr(module, package), function)(values)


def to_numpy(values):
    """Return an array of the framework as one of NumPy."""
    return values.asnumpy() if framework == "mxnet" else np.asarray(values)


def error_of(function, *args, **kwargs):
    """Return the type and the text of the error that a call raises."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


for case in json.loads(str(asked["cases"])):
    name, schedule = case.pop("name"), case.pop("schedule")
    if schedule:
        case["lr"] = step_decay(case["lr"])
    for method in case.pop("methods"):
        run = module.train(
            **case, method=method, orders=asked[f"{name} orders"], theta=asked[f"{name} theta"]
        )
        told[f"{name} {method} loss"] = run.loss
        told[f"{name} {method} theta"] = np.append(np.asarray(run.w), run.b)
        told[f"{name} {method} updates"] = run.updates
        told[f"{name} {method} seconds"] = run.seconds

B, C = to_array(asked["B"]), to_array(asked["C"])
ways = {way: getattr(module, f"matmul_{way}") for way in ("element", "column", "panel", "whole")}
for way, product in ways.items():
    told[way] = to_numpy(product(B, C))
    told[f"{way} misfit"] = error_of(product, B, to_array(asked["B"]))
told["narrow panels"] = to_numpy(module.matmul_panel(B, C, 3))
told["no panel"] = error_of(module.matmul_panel, B, C, 0)
for name, value in {"batch_size": 0, "lr": -1.0, "num_epochs": 0, "method": "none"}.items():
    told[f"bad {name}"] = error_of(module.train, **{"batch_size": 10, "lr": 0.1} | {name: value})
np.savez(answers, **told)
