"""What activation masks do to a model: dynamic or static, exact or sampled."""

import numpy as np

from keras_prune.analysis.measured_density import activation_density
from keras_prune.recipes.evaluation import evaluation_of
from keras_prune.recipes.iterative import iterative_prune
from keras_prune.recipes.study_report import StudyReport, StudyRow
from keras_prune.surgery.activation_masks import attach_activation_masks
from keras_prune.surgery.compiled_copy import compile_like
from keras_prune.surgery.static_thresholds import static_thresholds

_RATES = (0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05)
_SAMPLES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def compare_activation_masks(model, evaluate, data, rates=None, batch_size=32):
    """Compare dynamic with static activation masks of the same average density.

    For every rate the masks of `kp.layers.WinnerTakeAll`, whose threshold is another one for each
    sample, stand against one threshold for all samples that lets the same share pass on average.
    Nothing is trained. From [Yang et al., 2019](https://arxiv.org/abs/1906.07875).

    Example:

    ```python
    study = kp.compare_activation_masks(model, (x_held_out, y_held_out), x)
    print(study)
    activation_plots.plot_study(study, "masks.png")
    ```

    Args:
        model: Built, compiled, trained `keras.Model`.
        evaluate: Callable(model) that returns a number or a dict of them, or what
            `model.evaluate` takes.
        data: See `kp.activation_density`: what thresholds are found and densities counted on.
        rates: List of what `kp.attach_activation_masks` takes as `rates`. Defaults to seven
            floats from `0.5` to `0.05`.
        batch_size: Int. Examples a batch where `data` are arrays. Defaults to `32`.

    Returns:
        A `kp.StudyReport`, first the model without masks.

    Raises:
        ValueError: If an argument is wrong, a layer is unknown, or the model is not compiled.
    """
    _check_compiled(model)
    rows = [_row("no mask", None, model, evaluate, data, batch_size)]
    for rate in _RATES if rates is None else rates:
        limits = static_thresholds(model, data, rate, batch_size)
        masks = {
            "dynamic": attach_activation_masks(model, rate),
            "static": attach_activation_masks(model, thresholds=limits),
        }
        for kind, masked in masks.items():
            compile_like(masked, model)
            rows.append(_row(kind, _mean(rate), masked, evaluate, data, batch_size))
    return StudyReport("Activation masks", "winner rate", tuple(rows))


def sampling_curve(model, evaluate, data, rates, samples=None, seeds=(0, 1, 2), batch_size=32):
    """Measure what predicted thresholds do: fewer activations looked at, another accuracy.

    The threshold of `kp.layers.WinnerTakeAll(rate, sample)` is predicted from a share of the
    activations, drawn anew for every seed. Nothing is trained.

    Example:

    ```python
    study = kp.sampling_curve(model, (x_held_out, y_held_out), x, rates=0.2)
    print(study)
    ```

    Args:
        model: Built, compiled, trained `keras.Model`.
        evaluate: See `kp.compare_activation_masks`.
        data: See `kp.compare_activation_masks`.
        rates: See `kp.attach_activation_masks`.
        samples: List of floats in (0, 1]. Defaults to six from `0.01` to `0.5`.
        seeds: List of ints. What samples are drawn by. Defaults to three.
        batch_size: Int. Examples a batch where `data` are arrays. Defaults to `32`.

    Returns:
        A `kp.StudyReport`, first the exact threshold.

    Raises:
        ValueError: If an argument is wrong, a layer is unknown, or the model is not compiled.
    """
    _check_compiled(model)
    cases = [("exact", None, None)]
    for sample in _SAMPLES if samples is None else samples:
        cases += [("sampled", sample, seed) for seed in seeds]
    rows = []
    for kind, sample, seed in cases:
        masked = attach_activation_masks(model, rates, sample, seed)
        compile_like(masked, model)
        rows.append(_row(kind, sample or 1.0, masked, evaluate, data, batch_size))
    return StudyReport("Sampled thresholds", "share looked at", tuple(rows))


def density_while_pruning(model, train, data, evaluate=None, batch_size=32, **options):
    """Measure the activation density while weights are pruned in rounds.

    Weight pruning alone lets the density of activations rise: what is left of the weights answers
    for what is gone ([Yang et al., 2019](https://arxiv.org/abs/1906.07875)). This shows
    whether it does for a model.

    Example:

    ```python
    study = kp.density_while_pruning(model, train, x, (x_held_out, y_held_out), sparsity=0.9)
    print(study)
    activation_plots.plot_study(study, "density.png")
    ```

    Args:
        model: See `kp.iterative_prune`, which prunes it.
        train: See `kp.iterative_prune`.
        data: See `kp.activation_density`.
        evaluate: See `kp.iterative_prune`. Defaults to `None`.
        batch_size: Int. Examples a batch where `data` are arrays. Defaults to `32`.
        **options: The other arguments of `kp.iterative_prune`.

    Returns:
        A `kp.StudyReport` with a row for each round, first the model as it was.

    Raises:
        ValueError: If an argument is wrong.
    """
    density = "activation density"

    def measure(model):
        found = activation_density(model, data, batch_size=batch_size).density
        return {**evaluation_of(model, evaluate), density: found}

    rounds = iterative_prune(model, train, measure, **options).rounds
    rows = []
    for item in rounds:
        evaluation = {k: v for k, v in item.evaluation.items() if k != density}
        rows.append(StudyRow("weights", item.density, evaluation, item.evaluation[density]))
    return StudyReport("Weight pruning", "weight density", tuple(rows))


def _row(kind, setting, model, evaluate, data, batch_size):
    density = activation_density(model, data, batch_size=batch_size).density
    return StudyRow(kind, setting, evaluation_of(model, evaluate), density)


def _mean(rate):
    return float(np.mean([*rate.values()])) if isinstance(rate, dict) else rate


def _check_compiled(model):
    if not getattr(model, "compiled", False):
        raise ValueError(
            "Copies of the model are evaluated as it was compiled: compile it. "
            f"Received: model={getattr(model, 'name', model)}"
        )
