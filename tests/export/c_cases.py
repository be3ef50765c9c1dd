"""One model of many single operators, compared with LiteRT's reference kernels."""

import numpy as np

from keras_prune.export.c import export_c
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import Model, edge_and_random_inputs, reference


class Cases:
    """One model with many inputs: each case adds its own input and output."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.model, self.inputs, self.outputs, self.sizes = Model(), [], [], []

    def input(self, shape, scale, zero_point):
        number = self.model.tensor(shape, scale, zero_point)
        self.inputs.append(number)
        self.sizes.append(int(np.prod(shape)))
        return number

    def zero_point(self):
        return int(self.rng.choice([-128, -7, 0, 5, 127, self.rng.integers(-128, 128)]))

    def output(self, kind, inputs, shape, scale, zero_point, **options):
        """Add an operator whose output is one of the model."""
        output = self.model.tensor(shape, scale, zero_point)
        self.outputs.append(self.model.operator(kind, inputs, [output], **options))
        return output

    def integers(self, values):
        """Add a constant of int32."""
        return self.model.tensor(np.shape(values), data=values, dtype="int32")

    def check(
        self,
        tmp_path,
        tolerance=0,
        target="host",
        inputs=None,
        run_on=None,
        resolver="BUILTIN_REF",
        **options,
    ):
        path = self.model.save(tmp_path / "cases.tflite", self.inputs, self.outputs)
        if inputs is None:
            inputs = tuple(edge_and_random_inputs(self.rng, size) for size in self.sizes)
        report = export_c(path, tmp_path / "project", target, **options)
        run = run_c_project(tmp_path / "project", inputs, run_on or target, flags=("-O1",))
        expected, got = reference(path, inputs, resolver), run.outputs
        if len(self.outputs) == 1:
            expected, got = (expected,), (got,)
        for case, (want, have) in enumerate(zip(expected, got, strict=True)):
            np.testing.assert_allclose(
                have.astype(np.int32), want.astype(np.int32), 0, tolerance, err_msg=f"case {case}"
            )
        return report


class FloatCases(Cases):
    """The same in float32, to 1e-5 of the largest result."""

    def input(self, shape):
        number = self.model.tensor(shape, dtype="float32")
        self.inputs.append(number)
        self.sizes.append(int(np.prod(shape)))
        return number

    def output(self, kind, inputs, shape, **options):
        """Add an operator whose output is one of the model."""
        output = self.model.tensor(shape, dtype="float32")
        self.outputs.append(self.model.operator(kind, inputs, [output], **options))
        return output

    def constant(self, values):
        """Add a constant of float32."""
        return self.model.tensor(np.shape(values), data=values, dtype="float32")

    def check(self, tmp_path, target="host"):
        path = self.model.save(tmp_path / "cases.tflite", self.inputs, self.outputs)
        sizes = np.array([[0], [1], [4]])
        inputs = tuple(
            (sizes * self.rng.normal(0, 3, (3, size))).astype(np.float32) for size in self.sizes
        )
        report = export_c(path, tmp_path / "project", target)
        flags = ("-O1", "-Wextra", "-Wconversion", "-Werror")
        if target == "host":
            flags += ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
        run = run_c_project(tmp_path / "project", inputs, target, flags)
        for case, (want, have) in enumerate(zip(reference(path, inputs), run.outputs, strict=True)):
            limit = 1e-5 * max(1.0, abs(want).max())
            np.testing.assert_allclose(have, want, 1e-5, limit, err_msg=f"case {case}")
        return report
