import keras
import numpy as np
import pytest

from keras_prune import gradient_hooks, optimizer_variables
from tests.small_models import mlp, toy_data


def trained(optimizer, hooked, **compile_arguments):
    model = mlp(optimizer, **compile_arguments)
    model.optimizer.build(model.trainable_variables)
    kernel = model.layers[0].kernel
    seen = optimizer_variables.add(model.optimizer, [kernel], "zeros")[0]

    def hook(gradient):
        seen.assign(seen + keras.ops.abs(gradient))
        return gradient * 2.0

    if hooked:
        gradient_hooks.add(model.optimizer, kernel, hook)
    before = keras.ops.convert_to_numpy(kernel)
    model.fit(*toy_data(), epochs=1, batch_size=16, verbose=0, shuffle=False)
    change = keras.ops.convert_to_numpy(kernel) - before
    if hooked:
        gradient_hooks.remove(model.optimizer, kernel, hook)
        inner = vars(optimizer_variables.host(model.optimizer))
        assert not {"apply", "_keras_prune_gradient_hooks"} & set(inner)
    return change, keras.ops.convert_to_numpy(seen)


OPTIMIZERS = {
    "plain": lambda rate: keras.optimizers.SGD(rate),
    "loss_scale": lambda rate: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(rate), initial_scale=8.0
    ),
    "factor": lambda rate: keras.optimizers.SGD(rate, loss_scale_factor=4.0),
}


@pytest.mark.all_backends
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_hook_sees_and_changes_every_gradient(name, jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("torch.compile is not exercised here. Received: backend=torch")
    plain, nothing = trained(OPTIMIZERS[name](1e-4), False, jit_compile=jit_compile)
    doubled, seen = trained(OPTIMIZERS[name](1e-4), True, jit_compile=jit_compile)
    # At so small a rate the four steps see nearly the same gradients.
    np.testing.assert_allclose(doubled, 2.0 * plain, rtol=0.05, atol=1e-7)
    assert not nothing.any()
    assert (seen * 1e-4 >= np.abs(plain) * 0.95 - 1e-7).all()
