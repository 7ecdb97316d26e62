"""Set up MXNet, TensorFlow and JAX, each in a virtual environment of its own, as Jupyter kernels.

Run as ``.venv/bin/python frameworks/set_up.py [FRAMEWORK ...]``; without a name it sets up all that
this machine can run. What stands already is left alone. The environments are ``.venv-mxnet`` and
so on, beside ``.venv``, which gets their kernels.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"jax": "JAX", "tensorflow": "TensorFlow", "mxnet": "MXNet"}
ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # as in all chapters: steady times on a busy machine
KERNEL_ENV = {
    "jax": ONE_THREAD | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    },
    "tensorflow": ONE_THREAD | {
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",  # start-up notes would stand on the page
        "TF_ENABLE_ONEDNN_OPTS": "0",  # oneDNN adds up in another order, and says so
    },
    "mxnet": ONE_THREAD,
}  # fmt: skip


def interpreter(framework: str) -> str | None:
    """Return the Python to make the environment from, or None where there is no wheel for it."""
    machine, here = f"{platform.system()} {platform.machine()}", sys.version_info[:2]
    if framework == "mxnet":  # with the NumPy that it needs
        return python311() if machine == "Linux x86_64" else None
    if framework == "tensorflow" and (here > (3, 13) or machine == "Darwin x86_64"):
        return None
    return sys.executable


def python311() -> str | None:
    """Return Python 3.11, or None where there is none."""
    if sys.version_info[:2] == (3, 11):
        return sys.executable
    found = shutil.which("python3.11")
    works = found and subprocess.run([found, "--version"], capture_output=True, check=False)
    return found if works and works.returncode == 0 else None


NEEDS = {
    "mxnet": "Linux on x86-64 and Python 3.11",
    "tensorflow": "Python 3.11 to 3.13, and on a Mac an ARM processor",
}


def folder(framework: str) -> Path:
    """Return the environment's folder."""
    return ROOT / f".venv-{framework}"


def python_in(framework: str) -> Path:
    """Return the environment's own Python."""
    return folder(framework) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def pins(framework: str) -> str:
    """Return one hash of all that decides what is in the environment."""
    total = hashlib.sha256()
    for name in ("requirements.txt", "constraints.txt"):
        total.update((ROOT / "frameworks" / framework / name).read_bytes())
    return total.hexdigest()


def set_up_environment(framework: str, python: str) -> None:
    """Make the environment anew unless it stands; the stamp is written last."""
    stamp = folder(framework) / "ready"
    if stamp.exists() and stamp.read_text() == pins(framework):
        return
    print(f"Setting up {folder(framework).name} for {NAMES[framework]}.", flush=True)
    shutil.rmtree(folder(framework), ignore_errors=True)
    run(python, "-m", "venv", folder(framework))
    pip = [python_in(framework), "-m", "pip", "install", "--disable-pip-version-check"]
    where = ROOT / "frameworks" / framework
    run(*pip, "-r", where / "requirements.txt", "-c", where / "constraints.txt")
    run(*pip, "--no-deps", "-e", ROOT)  # the library's own requirements include PyTorch
    stamp.write_text(pins(framework))


def set_up_kernel(framework: str) -> None:
    """Tell the Jupyter of .venv of the environment, unless it knows."""
    python, env = python_in(framework), KERNEL_ENV[framework]
    if kernel_file(framework).exists():
        kernel = json.loads(kernel_file(framework).read_text(encoding="utf-8"))
        if (kernel["argv"][0], kernel.get("env")) == (str(python), env):
            return
    variables = [word for pair in env.items() for word in ("--env", *pair)]
    run(python, "-m", "ipykernel", "install", "--prefix", sys.prefix,
        "--name", f"mbsgd-{framework}", "--display-name", NAMES[framework], *variables)  # fmt: skip


def kernel_file(framework: str) -> Path:
    """Return where .venv keeps the description of the kernel."""
    return Path(sys.prefix) / "share/jupyter/kernels" / f"mbsgd-{framework}" / "kernel.json"


def run(*command: object) -> None:
    """Run a command and show what it says; where it fails, stop with its status."""
    status = subprocess.run([str(word) for word in command], check=False).returncode
    if status:
        sys.exit(f"failed with status {status}: {' '.join(map(str, command))}")


def main() -> None:
    """Set up the frameworks that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("frameworks", nargs="*", metavar="FRAMEWORK", help=", ".join(NAMES))
    names = parser.parse_args().frameworks or list(NAMES)
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"FRAMEWORK must be one of {list(NAMES)}, got {unknown}")
    for name in names:
        if python := interpreter(name):
            set_up_environment(name, python)
            set_up_kernel(name)
            print(f"{NAMES[name]} is set up in {folder(name).name}.", flush=True)
        else:
            print(f"{NAMES[name]} is left out: it needs {NEEDS[name]}.", flush=True)


if __name__ == "__main__":
    main()
