import dataclasses

from keras_prune.pruning_report import PrunedWeight, PruningReport


def weight(achieved, asked=0.8, size=100, slack=1, skip=None):
    return PrunedWeight("w", (10, 10), "Block(1, 4)", asked, achieved, size, slack, skip)


def test_reached_means_to_the_nearest_unit():
    assert weight(0.8).reached
    assert weight(0.79).reached
    assert not weight(0.78).reached
    assert weight(0.78, slack=4).reached
    assert weight(0.95).reached
    assert weight(0.0, asked=None).reached


def test_total_and_summary():
    skipped = weight(0.0, asked=None, skip="frozen: `trainable` is False")
    report = PruningReport((weight(0.8), weight(0.5, asked=None, size=300), skipped), 0.8)
    assert report.achieved == (80 + 150) / 400
    assert not report.reached
    assert report.skipped == (skipped,)
    assert report.summary() == (
        "Asked for a sparsity of 80.00%, achieved 57.50% of 400 weights in 2 kernels; 1 skipped."
    )


def test_table_names_every_weight_and_reason():
    skipped = weight(0.0, asked=None, skip="left out by `filters`")
    text = str(PruningReport((weight(0.8), skipped), 0.8))
    assert "Block(1, 4)" in text
    assert "10 x 10" in text
    assert "skipped: left out by `filters`" in text
    assert text.splitlines()[-1].split() == ["total", "80.00%", "80.00%"]


def test_table_has_notes():
    line = dataclasses.replace(weight(0.8), note="one stays")
    assert "one stays" in str(PruningReport((line,), 0.8))
    assert "None" not in str(PruningReport((weight(0.8),), 0.8))


def test_a_collapse_is_told_everywhere():
    sound = PruningReport((weight(0.8),), 0.8)
    assert sound.collapse_warning() is None
    assert "No signal" not in str(sound)
    report = PruningReport((weight(1.0),), 0.8, (("w", "no weight is left in it"),))
    assert report.summary().endswith("1 kernels; hardly a signal passes 1.")
    assert str(report).endswith("Hardly a signal passes:\nw: no weight is left in it")
    assert "layer collapse" in report.collapse_warning()
    assert report.collapse_warning().endswith("Received: w: no weight is left in it")
