import numpy as np
import pytest

from keras_prune.analysis.order_statistics import thresholds


def test_thresholds_are_those_of_sorting():
    generator = np.random.default_rng(0)
    streams = {
        "wide": [generator.normal(size=50).astype("float32") * 10.0**e for e in range(-20, 20, 5)],
        "narrow": [1.0 + 1e-6 * generator.integers(-9, 9, (7, 3)).astype("float32")],
    }

    def parts():
        for name, arrays in streams.items():
            yield from ((name, array) for array in arrays)

    for share in (0.0, 0.01, 0.3, 0.5, 0.99):
        found = thresholds(parts, dict.fromkeys(streams, share))
        for name, arrays in streams.items():
            ordered = np.sort(np.abs(np.concatenate([a.ravel() for a in arrays])))[::-1]
            above = int(np.floor(share * ordered.size + 0.5))
            assert found[name] == (ordered[above] if above < ordered.size else 0.0)
    assert thresholds(parts, {"wide": 1.0, "narrow": 1.0}) == {"wide": 0.0, "narrow": 0.0}


@pytest.mark.parametrize("share, expected", [(0.25, 3.0), (0.5, 2.0)])
def test_not_a_number_ranks_above_all(share, expected):
    values = np.array([np.nan, -3.0, 2.0, 1.0], "float32")
    assert thresholds(lambda: [("a", values)], {"a": share}) == {"a": expected}
