"""What the report of a training in rounds says."""

import numpy as np

from keras_prune.recipes import PruningRound, RoundsReport


def report(seconds=1.0):
    masks = {"a": np.array([True, False])}
    control = {"random_mask": {"accuracy": 0.25}}
    rounds = (
        PruningRound(0, 1.0, {"accuracy": 0.75}, seconds, {"a": np.ones(2, bool)}),
        PruningRound(1, 0.5, {"accuracy": 0.5}, seconds, masks, control),
    )
    return RoundsReport("Lottery ticket", rounds, 1)


def test_table():
    lines = [line.split() for line in str(report()).splitlines() if line]
    assert lines[0] == ["Lottery", "ticket"]
    assert lines[1] == ["round", "density", "accuracy", "seconds"]
    assert lines[3:] == [
        ["0", "100.00%", "0.7500", "1.0"],
        ["1", "50.00%", "0.5000", "1.0", "kept"],
        ["1", "50.00%", "0.2500", "random_mask"],
    ]


def test_masks_and_density_are_those_of_the_kept_round():
    assert report().density == 0.5
    assert report().masks["a"].tolist() == [True, False]


def test_seconds_do_not_count_in_a_comparison():
    assert report(seconds=1.0) == report(seconds=2.0)
