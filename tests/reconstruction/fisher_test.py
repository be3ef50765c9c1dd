import numpy as np

from keras_prune.reconstruction.fisher import InverseFisher


def fisher(rows, columns, block_size, samples=9, damping=1e-3):
    gradients = np.random.default_rng(0).normal(size=(samples, rows, columns))
    inverse = InverseFisher(rows, columns, block_size, samples, damping)
    for gradient in gradients:
        inverse.update(gradient)
    return inverse, gradients


def test_recursion_equals_the_direct_inverse():
    inverse, gradients = fisher(1, 12, 12, samples=30, damping=0.1)
    flat = gradients.reshape(30, 12)
    direct = np.linalg.inv(0.1 * np.eye(12) + flat.T @ flat / 30)
    np.testing.assert_allclose(inverse.blocks[0], direct, rtol=0, atol=1e-12)


def test_blocks_are_inverted_each_for_itself():
    inverse, gradients = fisher(2, 10, 4, damping=0.1)
    assert inverse.blocks.shape == (6, 4, 4)  # two rows of 4 + 4 + 2
    part = gradients[:, 1, 4:8]
    direct = np.linalg.inv(0.1 * np.eye(4) + part.T @ part / 9)
    np.testing.assert_allclose(inverse.blocks[4], direct, atol=1e-12)


def test_split_and_join_are_inverse_to_each_other():
    inverse, _ = fisher(2, 10, 4)
    array = np.arange(20.0).reshape(2, 10)
    np.testing.assert_array_equal(inverse.join(inverse.split(array)), array)


def test_saliency_and_repair_on_the_worked_example():
    inverse = InverseFisher(1, 2, 2, samples=1)
    inverse.blocks[0] = np.linalg.inv([[2.0, 1.0], [1.0, 2.0]])
    weights = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(inverse.saliency(weights), [[0.75, 3.0]])
    first = inverse.repair(weights, np.array([[False, True]]))
    np.testing.assert_allclose(first, [[0.0, 2.5]])
    assert first[0, 0] == 0.0
    np.testing.assert_allclose(inverse.repair(weights, np.array([[True, False]])), [[2.0, 0.0]])


def test_repair_minimizes_the_quadratic_loss():
    inverse, _ = fisher(3, 10, 10)
    random = np.random.default_rng(1)
    weights, keep = random.normal(size=(3, 10)), random.random((3, 10)) < 0.5
    repaired = inverse.repair(weights, keep)
    assert (repaired[~keep] == 0.0).all()
    for row in range(3):
        gradient = np.linalg.inv(inverse.blocks[row]) @ (repaired[row] - weights[row])
        np.testing.assert_allclose(gradient[keep[row]], 0.0, atol=1e-8)
