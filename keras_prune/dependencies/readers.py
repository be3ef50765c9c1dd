"""What reads units: kernels, which multiply them and sum over them."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np


@dataclasses.dataclass(eq=False)
class Reader:
    """One kernel, or one group of it, at the end of a signal.

    Args:
        layer: `keras.layers.Layer`.
        kernel: `keras.Variable`.
        view: Callable(array of the kernel's shape) -> view (window, positions, outputs).
        values: Array of the kernel's shape.
        ids: Int array (positions,). The units that are read.
        constant: Float array (positions,), or (window, positions) where each place in the window
            has its own: see `Signal`.
        bordered: Bool array (positions,). Whether a constant other than zero is mixed with the
            zeros of a border, which padding adds before the layer or in it.
        outputs: Int array (outputs,). The units that are made.
        bias: Slice of the layer's bias that belongs to the outputs. Defaults to all.
        foldable: Bool. Whether the layer has, or can be given, a bias that adds to the outputs.
        framed: Bool array (positions,). Which of the `bordered` have their border from before the
            layer. Defaults to none.
    """

    layer: keras.layers.Layer
    kernel: keras.Variable
    view: Callable
    values: np.ndarray
    ids: np.ndarray
    constant: np.ndarray
    bordered: np.ndarray
    outputs: np.ndarray
    bias: slice = dataclasses.field(default_factory=lambda: slice(None))
    foldable: bool = True
    framed: np.ndarray | None = None

    def __post_init__(self):
        self.weights = self.view(self.values)
        self.framed = np.zeros(len(self.ids), bool) if self.framed is None else self.framed
        self.used = (self.weights != 0.0).any(axis=0)

    @property
    def key(self):
        """What the readers of two calls of a shared layer have in common."""
        return id(self.kernel), self.bias.start

    @property
    def varying(self):
        """Bool array (positions,). Units of which more is read than one number for all places."""
        unknown = np.isnan(self.constant).reshape(-1, len(self.ids)).any(axis=0)
        zero = (self.constant == 0.0).reshape(-1, len(self.ids)).all(axis=0)
        return unknown | self.bordered | (not self.foldable) & ~zero

    @property
    def mergeable(self):
        """Bool array (positions,). Constants up to a border: one unit can stand in for another."""
        if self.constant.ndim > 1:
            return np.zeros(len(self.ids), bool)
        return self.bordered & ~np.isnan(self.constant)

    def meet(self, other):
        """Read in two calls: only what is the same in both is constant."""
        same = self.constant == other.constant
        self.constant = np.where(same, self.constant, np.nan)
        self.bordered = self.bordered | other.bordered

    def sums(self, positions=None):
        """What the constants of some positions, or of all, add to each output.

        Returns:
            Float64 array (outputs,).
        """
        constant = np.where(self.varying, 0.0, np.nan_to_num(self.constant))
        if positions is not None:
            constant = np.where(positions, constant, 0.0)
        if constant.ndim == 2:
            return np.einsum("wp,wpo->o", constant.astype(np.float64), self.weights)
        live = np.flatnonzero(constant)
        summed = self.weights[:, live].sum(axis=0, dtype=np.float64)
        return constant[live].astype(np.float64) @ summed

    def emitted(self, bias):
        """The constants that come out: float array (outputs,), NaN where outputs vary.

        Args:
            bias: Float array (outputs,) or `None`.
        """
        sums = self.sums() + (0.0 if bias is None else bias)
        return np.where(self.used[self.varying].any(axis=0), np.nan, sums)
