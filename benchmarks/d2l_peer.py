"""D2L's own training functions, unchanged: run by the Python of an environment that has d2l.

Reads batch sizes from standard input, one a line, and answers each with seconds per epoch.
"""

import contextlib
import io
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from types import ModuleType

SETTINGS = {1: 0.005, 10: 0.05, 100: 0.4, 1500: 1.0}


def write_data(folder: Path) -> None:
    """Put the table where `d2l.download` looks for it, byte for byte as it is published."""
    rows = files("mbsgd_lib").joinpath("airfoil.csv").read_text().splitlines()[1:]
    text = "".join(row.replace(",", "\t") + "\r\n" for row in rows)
    folder.mkdir()
    (folder / "airfoil_self_noise.dat").write_bytes(text.encode())


def main() -> None:
    """Answer until the input ends."""
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder, "data"))
        Path(folder, "work").mkdir()
        with contextlib.chdir(Path(folder, "work")):
            answer()


def answer() -> None:
    """Train for each batch size that is asked for, and print D2L's own seconds per epoch."""
    for name in ("torchvision", "torchvision.transforms"):  # d2l imports it, for images only
        sys.modules[name] = ModuleType(name)
    import torch
    from d2l import torch as d2l

    from mbsgd_lib.methods import sgd  # the section defines its own in the text

    torch.set_num_threads(1)
    for line in sys.stdin:
        hyperparams = {"lr": SETTINGS[int(line)]}
        with contextlib.redirect_stdout(io.StringIO()):
            data, width = d2l.get_data_ch11(int(line), 1500)
            times, _ = d2l.train_ch11(sgd, None, hyperparams, data, width, num_epochs=2)
        print(times[-1] / 2, flush=True)


if __name__ == "__main__":
    main()
