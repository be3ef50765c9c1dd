import numpy as np

from keras_prune.reconstruction.contributions import of_all_outputs, of_drawn_outputs


def problem():
    random = np.random.default_rng(0)
    inputs, kernel = random.normal(size=(30, 6)) + 0.5, random.normal(size=(6, 4))
    owners = np.array([0, 1, 2, 0, 1, 1])
    return inputs, kernel, random.normal(size=(30, 4)), np.eye(3)[owners], owners


def test_sums_are_those_of_all_contributions():
    inputs, kernel, target, members, owners = problem()
    for centered in (False, True):
        if centered:
            inputs, target = inputs - inputs.mean(axis=0), target - target.mean(axis=0)
        parts = [inputs[:, owners == c] @ kernel[owners == c] for c in range(3)]
        columns = np.stack([part.ravel() for part in parts], axis=1)  # (rows * outputs, channels)
        found = of_all_outputs(inputs + 7.0 * centered, kernel, target, members, centered)
        np.testing.assert_allclose(found.gram, columns.T @ columns, atol=1e-9)
        np.testing.assert_allclose(found.cross, columns.T @ target.ravel(), atol=1e-9)
        missing = target.ravel() - columns.sum(axis=1)
        np.testing.assert_allclose(found.slope, columns.T @ missing, atol=1e-9)


def test_one_output_of_each_row_is_drawn():
    inputs, kernel, _, members, owners = problem()
    target = inputs @ kernel
    found = of_drawn_outputs(inputs, kernel, target, members, np.random.default_rng(3))
    outputs = np.random.default_rng(3).integers(0, 4, 30)
    columns = np.stack(
        [
            [inputs[r, owners == c] @ kernel[owners == c, o] for c in range(3)]
            for r, o in enumerate(outputs)
        ]
    )
    assert len(set(outputs)) == 4
    np.testing.assert_allclose(found.gram, columns.T @ columns)
    np.testing.assert_allclose(found.slope, 0.0, atol=1e-9)  # the target is the sum of all


def test_some_channels_alone():
    parts = of_all_outputs(*problem()[:4])
    some = np.array([True, False, True])
    np.testing.assert_array_equal(parts.take(some).gram, parts.gram[::2, ::2])
    np.testing.assert_array_equal(parts.take(some).cross, parts.cross[::2])
