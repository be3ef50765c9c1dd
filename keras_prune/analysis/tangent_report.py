"""What a neural tangent kernel says of training."""

import dataclasses
import functools

import numpy as np

from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True, eq=False)
class TangentKernelReport:
    """A neural tangent kernel and what follows from it. `print` shows a table.

    Rows are the outputs of the first example, then those of the second, and so on.

    Args:
        outputs: Float32 array (examples, outputs). What the model says now.
        kernel: Float64 array (examples * outputs, examples * outputs), J J^T.
        traces: Dict from the path of each trainable variable to its part of the trace.
    """

    outputs: np.ndarray
    kernel: np.ndarray
    traces: dict

    @property
    def trace(self):
        """Float. The sum of the eigenvalues, ||J||_F^2."""
        return float(np.trace(self.kernel))

    @property
    def eigenvalues(self):
        """Float64 array (examples * outputs,), the largest first, none negative."""
        return self._spectrum[0]

    @property
    def condition_number(self):
        """Float. Largest over smallest eigenvalue; infinite where the kernel is singular."""
        largest, smallest = self.eigenvalues[0], self.eigenvalues[-1]
        return float(largest / smallest) if smallest > 0 else float("inf")

    @property
    def max_learning_rate(self):
        """Float. Gradient descent on half the sum of squared errors diverges above it, 2 / lambda.

        Mean squared error has the gradient of that loss times 2 / (examples * outputs): its
        largest learning rate is larger by examples * outputs / 2.
        """
        return float(2 / self.eigenvalues[0]) if self.eigenvalues[0] > 0 else float("inf")

    def energy(self, slopes):
        """The squared norm of a loss's gradient by the parameters, g^T g = r^T Theta r.

        Args:
            slopes: Array (examples, outputs). The derivatives r of the loss by the outputs.

        Returns:
            A float.

        Raises:
            ValueError: If the shape is another.
        """
        slopes = self._flat("slopes", slopes)
        return float(slopes @ self.kernel @ slopes)

    def residuals(self, y, learning_rate, steps):
        """How gradient descent on half the sum of squared errors brings the outputs to y.

        The norm after t steps is sqrt(sum_i (1 - eta lambda_i)^{2t} (u_i^T (y - f))^2), with
        the eigenvectors u_i: exact for models that are linear in their parameters, else to
        the first order, as long as the kernel stays what it is.

        Args:
            y: Array (examples, outputs). Targets.
            learning_rate: Float > 0, eta.
            steps: Int >= 0. Steps of gradient descent.

        Returns:
            Float64 array (steps + 1,): the norm of y - f before the first step and after each.

        Raises:
            ValueError: If an argument is wrong.
        """
        if not learning_rate > 0 or steps < 0:
            raise ValueError(
                "Arguments `learning_rate` and `steps` must be positive. "
                f"Received: learning_rate={learning_rate}, steps={steps}"
            )
        values, vectors = self._spectrum
        modes = vectors.T @ (self._flat("y", y) - self.outputs.ravel())
        factors = (1 - learning_rate * values) ** np.arange(steps + 1)[:, None]
        return np.linalg.norm(factors * modes, axis=1)

    @functools.cached_property
    def _spectrum(self):
        values, vectors = np.linalg.eigh(self.kernel)
        # Rounding leaves tiny values, some negative, where the kernel is singular.
        noise = len(values) * np.finfo(np.float32).eps * max(values[-1], 0.0)
        return np.where(values > noise, values, 0.0)[::-1], vectors[:, ::-1]

    def _flat(self, name, array):
        array = np.asarray(array, np.float64)
        if array.shape != self.outputs.shape:
            raise ValueError(
                f"Argument `{name}` must have the shape of the outputs, {self.outputs.shape}. "
                f"Received: {name} of shape {array.shape}"
            )
        return array.ravel()

    def __str__(self):
        total = self.trace or 1.0
        rows = [(path, f"{part:.4g}", f"{part / total:.1%}") for path, part in self.traces.items()]
        examples, outputs = self.outputs.shape
        columns, footer = ["variable", ">trace", ">share"], ("total", f"{self.trace:.4g}", "")
        return (
            render_table("Tangent kernel", columns, rows, footer=footer)
            + f"\n\n{examples} examples x {outputs} outputs: eigenvalues "
            f"{self.eigenvalues[0]:.4g} to {self.eigenvalues[-1]:.4g}, condition number "
            f"{self.condition_number:.4g}"
        )
