import hashlib
from importlib.resources import files

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mbsgd_lib import data_loader, epoch_order, load_airfoil, minibatches

CSV = (files("mbsgd_lib") / "airfoil.csv").read_bytes()
LINES = CSV.decode().splitlines()
RAW = np.genfromtxt(LINES, delimiter=",", skip_header=1)  # (1503, 6)
NOT_A_COUNT = [0, -1, 1.5, 10.0, True, "10", None, float("nan")]


def test_table_is_the_one_that_the_source_pins():
    table = "".join(line.replace(",", "\t") + "\r\n" for line in LINES[1:]).encode()
    assert len(table) == 59_984
    assert hashlib.sha1(table).hexdigest() == "76e5be1548fd8222e5074cf0faae75edff8cf93f"


def test_first_1500_rows_standardised_by_all_rows(airfoil):
    expected = ((RAW - RAW.mean(0)) / RAW.std(0))[:1500]
    assert airfoil.X.shape == (1500, 5)
    assert airfoil.y.shape == (1500,)
    assert airfoil.X.dtype == airfoil.y.dtype == torch.float32
    np.testing.assert_allclose(airfoil.X, expected[:, :5], rtol=0, atol=1e-6)
    np.testing.assert_allclose(airfoil.y, expected[:, 5], rtol=0, atol=1e-6)


def test_scaling_names_and_units(airfoil):
    np.testing.assert_allclose(airfoil.mean, RAW.mean(0))
    np.testing.assert_allclose(airfoil.std, RAW.std(0))
    assert airfoil.mean.dtype == airfoil.std.dtype == np.float64
    assert len(airfoil.names) == len(airfoil.units) == 6
    assert airfoil.units[-1] == "dB"


def test_decibels_undo_the_scaling(airfoil):
    np.testing.assert_allclose(airfoil.decibels(airfoil.y), RAW[:1500, 5], atol=1e-4)
    np.testing.assert_allclose(airfoil.decibels(airfoil.y.double()), RAW[:1500, 5], atol=1e-5)


@pytest.mark.parametrize("n", [1, 100, 1503])
def test_n_rows(n, airfoil):
    shorter = load_airfoil(n=n)
    assert torch.equal(shorter.X[:1500], airfoil.X[:n])
    assert torch.equal(shorter.y[:1500], airfoil.y[:n])
    assert len(shorter.X) == len(shorter.y) == n


@pytest.mark.parametrize("n", [*NOT_A_COUNT, 1504])
def test_n_out_of_range(n):
    with pytest.raises(ValueError, match=r"n must be a whole number from 1 to 1503, got"):
        load_airfoil(n=n)


@pytest.mark.parametrize("as_path", [str, lambda path: path])
def test_another_copy(tmp_path, airfoil, as_path):
    path = tmp_path / "copy.csv"
    path.write_bytes(CSV)
    assert torch.equal(load_airfoil(as_path(path)).X, airfoil.X)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        load_airfoil(tmp_path / "nowhere.csv")


def edit(number, old, new):
    """Return the file with `old` replaced in line `number`, counted from 1."""
    assert old in LINES[number - 1]
    line = LINES[number - 1].replace(old, new, 1)
    return "\n".join([*LINES[: number - 1], line, *LINES[number:], ""]).encode()


DAMAGED = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\n", "the file is empty"),
    "truncated between rows": ("\n".join(LINES[:700]).encode(), "truncated: 699 rows"),
    "truncated within a row": (CSV[:-9], "truncated|line 1504 has 5 columns"),
    "truncated within a number": (CSV[:20_001], "truncated|line"),
    "header only": (LINES[0].encode(), "truncated: 0 rows"),
    "edited": (edit(2, "126.201", "126.202"), "edited"),
    "CRLF": (CSV.replace(b"\n", b"\r\n"), "line ends .* CR"),
    "CR": (CSV.replace(b"\n", b"\r"), "line ends .* CR"),
    "TAB-separated": (CSV.replace(b",", b"\t"), "header"),
    "HTML page": (b"\n<!DOCTYPE html>\n<html><body>404</body></html>", "HTML page"),
    "too narrow": (edit(10, ",71.3", ""), "line 10 has 5 columns, expected 6"),
    "too wide": (edit(10, ",71.3", ",71.3,0"), "line 10 has 7 columns, expected 6"),
    "not a number": (edit(5, "71.3", "fast"), "line 5 holds 'fast'.* not a number"),
    "no value": (edit(5, "71.3", ""), "line 5 holds ''.* not a number"),
    "NaN": (edit(5, "71.3", "nan"), "line 5 holds 'nan', expected a finite number"),
    "infinite": (edit(5, "71.3", "-inf"), "line 5 holds '-inf', expected a finite number"),
    "extra rows": (CSV + LINES[-1].encode() + b"\n", "too long: 1504 rows, expected 1503"),
    "blank line at the end": (CSV + b"\n", "line 1505 has 0 columns"),
    "no header": ("\n".join(LINES[1:]).encode(), "header .*, got '800,0,0.3048"),
    "not UTF-8": (CSV.replace(b"71.3", b"71\xff3", 1), "line 2 .* not a number"),
    "UTF-16": (CSV.decode().encode("utf-16"), "header"),
    "binary": (bytes(range(256)) * 9, r"header|line ends"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_file_says_what_is_wrong(kind, tmp_path):
    content, message = DAMAGED[kind]
    path = tmp_path / "damaged.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        load_airfoil(path)
    assert str(path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_file_without_its_last_newline_is_not_called_edited(tmp_path):
    path = tmp_path / "copy.csv"
    path.write_bytes(CSV.rstrip(b"\n"))
    with pytest.raises(ValueError, match=r"newline|line end|truncated"):
        load_airfoil(path)


@pytest.mark.parametrize("seed", range(5))
def test_order_of_an_epoch(seed):
    def draw(replacement):
        return epoch_order(1500, torch.Generator().manual_seed(seed), replacement)

    permutation, draws = draw(False), draw(True)
    assert permutation.sort().values.tolist() == list(range(1500))
    assert permutation.tolist() != list(range(1500))
    assert permutation.dtype == draws.dtype == torch.int64
    assert torch.equal(permutation, draw(False))
    assert torch.equal(draws, draw(True))
    assert draws.shape == (1500,)
    assert draws.min() >= 0
    assert draws.max() < 1500
    assert abs(len(draws.unique()) / 1500 - (1 - np.exp(-1))) < 0.05  # the rest is left out


@st.composite
def tables(draw):
    """Return n rows whose values tell their number, a batch size and an order."""
    n = draw(st.integers(1, 60))
    order = draw(st.none() | st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    X = torch.arange(2.0 * n).reshape(n, 2)
    return X, X[:, 0] / 2, draw(st.integers(1, n)), None if order is None else torch.tensor(order)


@given(tables())
def test_minibatches_are_slices_of_the_order(table):
    X, y, batch_size, order = table
    rows = range(len(X)) if order is None else order.tolist()
    batches = list(minibatches(X, y, batch_size, order))
    assert [len(y_batch) for _, y_batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert 1 <= len(batches[-1][1]) <= batch_size
    assert torch.cat([y_batch for _, y_batch in batches]).tolist() == list(rows)
    for X_batch, y_batch in batches:
        assert torch.equal(X_batch[:, 0] / 2, y_batch)
        assert torch.equal(X_batch[:, 1], X_batch[:, 0] + 1)


@given(tables())
def test_data_loader_reads_the_same_batches(table):
    X, y, batch_size, order = table
    order = torch.arange(len(X)) if order is None else order
    loaded = data_loader(X, y, batch_size, order)
    for ours, theirs in zip(minibatches(X, y, batch_size, order), loaded, strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_data_loader_shuffles_anew_each_epoch(airfoil):
    loader = data_loader(airfoil.X, airfoil.y, 64)
    first, second = (torch.cat([y for _, y in loader]) for _ in range(2))
    assert not torch.equal(first, second)
    for epoch in (first, second):
        assert torch.equal(epoch.sort().values, airfoil.y.sort().values)


def test_evaluating_through_a_shuffling_loader_changes_the_orders(airfoil):
    """The source evaluates in the middle of an epoch: the next one then has another order."""

    def orders(evaluations):
        torch.manual_seed(0)
        loader, read = data_loader(airfoil.X, airfoil.y, 500), []
        for _ in range(2):
            for _, y in loader:
                read.append(y)
                for _ in range(evaluations):
                    list(loader)
        return torch.cat(read).split(1500)

    (first, second), (same, other) = orders(0), orders(1)
    assert torch.equal(first, same)
    assert not torch.equal(second, other)


@pytest.mark.parametrize("read", [minibatches, data_loader])
@pytest.mark.parametrize("batch_size", [*NOT_A_COUNT, 1501])
def test_batch_size_out_of_range(read, batch_size, airfoil):
    with pytest.raises(ValueError, match="batch_size must be a whole number from 1 to 1500, got"):
        read(airfoil.X, airfoil.y, batch_size)


@pytest.mark.parametrize("read", [minibatches, data_loader])
def test_numpy_batch_size(read, airfoil):
    assert len(list(read(airfoil.X, airfoil.y, np.int64(400)))) == 4


def test_data_on_another_device_keep_their_scaling(airfoil):
    moved = airfoil.to("meta")
    assert {moved.X.device.type, moved.y.device.type} == {"meta"}
    assert moved.X.shape == airfoil.X.shape
    assert moved.std is airfoil.std
    assert airfoil.X.device.type == "cpu"
