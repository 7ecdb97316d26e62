"""The devices of a machine: really those of this one, and a machine with GPUs played."""

import pytest
import torch

from mbsgd_lib import devices
from mbsgd_lib.devices import about_gpu, cpu_and_gpu


@pytest.fixture(params=[0, 1, 8])
def gpus(request, monkeypatch):
    """Let PyTorch find so many GPUs."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: request.param)
    monkeypatch.setattr(torch.cuda, "get_device_name", {"cuda:0": "Abacus 2"}.__getitem__)
    return request.param


def test_this_machine():
    assert devices.devices()[0] == "cpu"
    for name in devices.devices():
        assert float(torch.ones(3, device=name).sum()) == 3


def test_cpu_comes_first_then_every_gpu(gpus):
    assert devices.devices() == ["cpu", *(f"cuda:{i}" for i in range(gpus))]


def test_a_chapter_compares_one_of_each(gpus):
    assert cpu_and_gpu() == {"CPU": "cpu"} | ({"GPU": "cuda:0"} if gpus else {})


def test_sentence_is_chosen_by_what_is_there(gpus):
    text = about_gpu("a line of its own", "It is faster.")
    assert ("Abacus 2. It is faster." in text) == bool(gpus)
    assert ("without a GPU" in text and "a line of its own." in text) == (not gpus)
