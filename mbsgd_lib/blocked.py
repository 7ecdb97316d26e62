"""Sequential SGD, exactly, many updates at a time: each block is one triangular solve.

Let a block hold the rows z_i = (x_i, 1) of several batches, and let sample i of batch B(i)
take the step a_i = lr / |B(i)|. An update only ever moves theta along the rows of its batch,
so the residual that sample i meets depends on those of the batches *before* its own:

    r_i = z_i' theta - y_i - sum over j in earlier batches of (z_i' z_j) a_j r_j

which is the unit lower-triangular system (I + (M * Z Z') diag(a)) r = Z theta - y, where M
keeps the pairs with j in an earlier batch. After the block theta becomes theta - Z'(a * r).

References
----------
Benesty and Duhamel, "A fast exact least mean square adaptive algorithm", IEEE Transactions on
Signal Processing 40(12), 1992. Yang et al., "Parallelizing linear transformers with the delta
rule over sequence length", NeurIPS 2024.
"""

# ruff: noqa: D102 (the docstring of `methods` documents the three steps)
import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.theory import with_ones

BLOCK = 200  # rows in a block, by measurement: more cost arithmetic, fewer cost calls
WORTH = 4  # batches in a block from which on a solve is faster than a call for each batch


class Blocked:
    """Exact look-ahead: the residuals of a block of updates in one triangular solve."""

    def __init__(self, X: Tensor, y: Tensor, theta: Tensor, batch_size: int):
        self.Z, self.y, self.batch_size = with_ones(X), y, batch_size  # Z (n, d+1)
        self.theta = theta.clone()
        batches = BLOCK // batch_size  # of a block: it ends where a batch ends
        self.block = batch_size * (batches if batches >= WORTH else 1)
        batch = torch.arange(len(X), device=X.device) // batch_size
        self.share = 1 / batch.bincount()[batch].to(X)  # 1 / |B(i)| for each row i, (n,)
        batch = batch[: self.block]
        self.earlier = (batch[:, None] > batch).to(X)  # M, (block, block)

    def begin_epoch(self, order: Tensor) -> None:
        self.rows, self.targets, self.position = self.Z[order], self.y[order], 0

    @torch.no_grad()
    def update(self, lrs: list[float]) -> None:
        stop = min(self.position + len(lrs) * self.batch_size, len(self.y))
        steps = np.repeat(np.asarray(lrs), self.batch_size)[: stop - self.position]
        steps = torch.from_numpy(steps).to(self.share) * self.share[self.position : stop]  # a
        for first in range(self.position, stop, self.block):
            rows = slice(first, min(first + self.block, stop))
            start = first - self.position
            self._solve(self.rows[rows], self.targets[rows], steps[start : start + self.block])
        self.position = stop

    def _solve(self, Z: Tensor, y: Tensor, a: Tensor) -> None:
        """Do all updates of one block: Z (block, d + 1), y and a (block,)."""
        residual = torch.addmv(y, Z, self.theta, beta=-1)
        if len(y) > self.batch_size:
            system = torch.mm(Z, Z.T * a)  # (block, block)
            if self.batch_size > 1:  # else the solver's triangle is the mask
                system *= self.earlier[: len(y), : len(y)]
            residual = torch.linalg.solve_triangular(
                system, residual[:, None], upper=False, unitriangular=True
            )[:, 0]
        self.theta.addmv_(Z.T, a * residual, alpha=-1)
