"""FULLY_CONNECTED of the C export on emulated processors, against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.export.c_cases import Cases
from tests.export.c_model_builder import needs_qemu, random_int8

NONE, RELU, RELU6 = 0, 1, 3

# batch, rows, cols, structure: columns beyond a multiple of 4, blocks of 64 rows and one more,
# and gaps that no distance of a stream or of blocks bridges.
LAYERS = [
    (1, 1, 1, "full"),
    (1, 5, 7, "full"),
    (1, 70, 33, "full"),
    (3, 4, 9, "full"),
    (1, 2, 12, "scattered"),
    (1, 66, 301, "scattered"),
    (1, 3, 2000, "scattered"),
    (1, 3, 2000, "far apart"),
    (2, 9, 130, "scattered"),
    (5, 12, 64, "scattered"),
    (1, 67, 298, "close"),
    (2, 6, 1501, "close"),
    (1, 1, 6, "blocks"),
    (1, 70, 300, "blocks"),
    (1, 5, 2003, "blocks"),
    (1, 9, 600, "far blocks"),
    (3, 7, 61, "blocks"),
    (1, 4, 40, "empty"),
    (1, 65, 330, "1:4"),
    (2, 7, 64, "1:4"),
    (1, 6, 515, "1:8"),
    (1, 3, 3, "1:8"),
]
KEPT = {
    "full": 1.0,
    "close": 0.25,
    "scattered": 0.15,
    "far apart": 0.003,
    "blocks": 0.2,
    "far blocks": 0.02,
}


def weights_of(rng, shape, structure):
    """Weights of that structure; some are all -128, and the second row has none."""
    weights = np.full(shape, -128, np.int8) if rng.random() < 0.2 else random_int8(rng, shape)
    if structure.startswith("1:"):
        size, rows = int(structure[2:]), shape[0]
        places = rng.integers(0, size, (rows, -(-shape[1] // size))).repeat(size, axis=1)
        return np.where(places[:, : shape[1]] == np.arange(shape[1]) % size, weights, 0)
    run = 4 if "blocks" in structure else 1
    kept = rng.random((shape[0], -(-shape[1] // run))) < KEPT.get(structure, 0)
    weights[~kept.repeat(run, axis=1)[:, : shape[1]]] = 0
    if structure != "full":
        weights[1:2] = 0
    return weights


def add_layer(cases, batch, rows, cols, structure):
    """Add a layer with any zero points, activation, scales and bias."""
    rng, model = cases.rng, cases.model
    weights = weights_of(rng, (rows, cols), structure)
    scales = rng.uniform(0.001, 0.02, rng.choice([1, rows]))
    inputs = [cases.input((batch, cols), 0.05, cases.zero_point())]
    inputs.append(model.tensor((rows, cols), scales, 0, weights))
    if rng.random() < 0.7:
        bias = rng.integers(-3000, 3000, rows)
        inputs.append(model.tensor((rows,), 0.001, 0, bias, "int32"))
    options = {"fusedActivationFunction": int(rng.choice([NONE, RELU, RELU6]))}
    kind, shape, zero_point = "FULLY_CONNECTED", (batch, rows), cases.zero_point()
    cases.output(kind, inputs, shape, 0.37, zero_point, **options)


@pytest.mark.parametrize(
    "target",
    ["host", *(pytest.param(f"cortex-m{n}", marks=needs_qemu) for n in (0, 3, 4))],
)
def test_every_shape_and_structure_matches_the_reference(tmp_path, target):
    cases = Cases(seed=7)
    for layer in 2 * LAYERS:
        add_layer(cases, *layer)
    encodings = {layer.encoding for layer in cases.check(tmp_path, target=target).layers}
    assert encodings >= {"dense", "stream"}
    of_dsp = {"blocks", "groups4", "groups8", "twins"}
    assert encodings & of_dsp == (of_dsp if target == "cortex-m4" else set())


def test_a_project_for_a_microcontroller_runs_on_the_host(tmp_path):
    cases = Cases(seed=8)
    for layer in LAYERS:
        add_layer(cases, *layer)
    report = cases.check(tmp_path, target="cortex-m4", run_on="host")
    assert {layer.encoding for layer in report.layers} >= {"groups4", "blocks", "twins"}
