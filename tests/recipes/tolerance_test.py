"""How a round is compared with round 0."""

import pytest

from keras_prune.recipes.tolerance import Tolerance


def holds(before, after, tolerance=0.01, monitor=None, mode="auto"):
    limit = Tolerance(tolerance, monitor, mode, evaluate=(0, 0))
    return limit.holds({"evaluation": before}, {"evaluation": after})


@pytest.mark.parametrize(
    ("before", "after", "arguments", "expected"),
    [
        ({"loss": 1, "accuracy": 0.97}, {"loss": 9, "accuracy": 0.96}, {}, True),
        ({"loss": 1, "accuracy": 0.97}, {"loss": 0, "accuracy": 0.959}, {}, False),
        ({"accuracy": 0.9}, {"accuracy": 0.99}, {"tolerance": 0}, True),
        ({"loss": 1.0}, {"loss": 1.01}, {}, True),
        ({"loss": 1.0}, {"loss": 1.02}, {}, False),
        ({"mean_squared_error": 1.0}, {"mean_squared_error": 0.5}, {}, True),
        ({"loss": 1, "accuracy": 0.9}, {"loss": 2, "accuracy": 0.9}, {"monitor": "loss"}, False),
        ({"perplexity": 5.0}, {"perplexity": 6.0}, {"mode": "min"}, False),
        ({"perplexity": 5.0}, {"perplexity": 6.0}, {}, True),
        ({"accuracy": 0.9}, {"accuracy": float("nan")}, {}, False),
        ({"accuracy": 0.9}, {"accuracy": 0.1}, {"tolerance": None}, True),
    ],
)
def test_what_is_within_tolerance(before, after, arguments, expected):
    assert holds(before, after, **arguments) is expected
