"""What PyTorch can compute on here: the processor always, and beside it each GPU."""

import torch


def devices() -> list[str]:
    """Return the names of the devices, "cpu" first.

    The GPUs are those that PyTorch calls "cuda", AMD's among them. Apple's are left out: they
    have no float64, in which losses are evaluated.
    """
    return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]


def cpu_and_gpu() -> dict[str, str]:
    """Return the devices that a chapter compares, by the names that its figures give them."""
    return dict(zip(["CPU", "GPU"], devices(), strict=False))  # one GPU is like the next


def about_gpu(shown: str, found: str) -> str:
    """Say which GPU a page measured and what was found, or what a page without one leaves out.

    Parameters
    ----------
    shown : str
        What a GPU gets on the page, such as "a line of its own".
    found : str
        A sentence for a page with a GPU.
    """
    if len(devices()) == 1:
        return f"This page was made without a GPU. Where there is one, it gets {shown}."
    return f"The GPU of this page is {torch.cuda.get_device_name(devices()[1])}. {found}"
