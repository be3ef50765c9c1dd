"""How few activations of each layer must win, by what the loss of accuracy tolerates."""

import keras

from keras_prune.dependencies import graph_to_follow
from keras_prune.layers.winner_take_all import check_share
from keras_prune.recipes.evaluation import evaluation_of
from keras_prune.recipes.tolerance import Tolerance
from keras_prune.recipes.winner_report import WinnerRatesReport
from keras_prune.surgery.activation_masks import activation_places, attach_activation_masks
from keras_prune.surgery.compiled_copy import compile_like

BASELINE = ""  # no layer is called so
# Coarse at first, finer where few are left.
_RATES = (
    *(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2),
    *(0.15, 0.12, 0.1, 0.08, 0.06, 0.04, 0.02, 0.01),
)


def search_winner_rates(
    model,
    evaluate,
    tolerance=0.02,
    rates=None,
    monitor=None,
    mode="auto",
    filters=None,
    sample=None,
    seed=None,
):
    """Search the winner rate of each layer: the lowest that a loss of accuracy tolerates.

    Layer by layer, the others unmasked, the rate of winners falls until the evaluation is worse
    than without masks by more than `tolerance`; nothing is trained. The data should be held-out
    training data, not the test set. With all masks on the network is then fine-tuned once. From
    [Yang et al., 2019](https://arxiv.org/abs/1906.07875).

    Example:

    ```python
    found = kp.search_winner_rates(model, (x_held_out, y_held_out), tolerance=0.02)
    print(found)
    masked = kp.attach_activation_masks(model, found.rates)
    ```

    Args:
        model: Built, compiled, trained `keras.Model`. It stays as it is.
        evaluate: Callable(model) that returns a number or a dict of them, or what
            `model.evaluate` takes: a tuple of arrays (x, y), a data set. It gets copies of the
            model that are compiled likewise.
        tolerance: Float >= 0. How much worse the evaluation may become for each layer. Defaults to
            `0.02`.
        rates: List of floats in [0, 1] that fall: what is tried, up to the first that is not
            tolerated. Defaults to 17 of them from `0.9` to `0.01`.
        monitor: Str. The name in the evaluation that `tolerance` looks at. Defaults to the
            first that is not `"loss"`, if there is one.
        mode: Str. `"max"` if more is better, `"min"` if less is, `"auto"`: `"min"` for names
            with "loss" or "error" in them, else `"max"`. Defaults to `"auto"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Layers to search for.
            Defaults to all but those that make outputs.
        sample: See `kp.WinnerTakeAll`. Defaults to `None`.
        seed: See `kp.WinnerTakeAll`. Defaults to `None`.

    Returns:
        A `kp.WinnerRatesReport`: rates by layer, which `kp.attach_activation_masks` takes, and
        the evaluations of all rates that were tried.

    Raises:
        ValueError: If an argument is wrong, or no layer has activations to mask.
    """
    if not isinstance(model, keras.Model) or not model.compiled:
        raise ValueError(
            "`search_winner_rates` evaluates copies of a compiled model. "
            f"Received: model={getattr(model, 'name', model)}"
        )
    if tolerance is None:
        raise ValueError("Argument `tolerance` must be a number >= 0. Received: tolerance=None")
    limit = Tolerance(tolerance, monitor, mode, evaluate)
    rates = checked_rates(rates)
    return find_rates(model, evaluate, limit, rates, filters, sample, seed, {})


def find_rates(model, evaluate, limit, rates, filters, sample, seed, done, save=None):
    """The search itself, which goes on from what was found before.

    Args:
        model: See `search_winner_rates`.
        evaluate: See `search_winner_rates`.
        limit: `Tolerance`.
        rates: List of floats that fall.
        filters: See `search_winner_rates`.
        sample: See `search_winner_rates`.
        seed: See `search_winner_rates`.
        done: Dict from names of layers to lists of pairs (rate, evaluation), and from `BASELINE`
            to the evaluation without masks. What is found is added to it.
        save: Callable without arguments, called whenever something is. Defaults to `None`.

    Returns:
        A `kp.WinnerRatesReport`.
    """
    save = save or (lambda: None)
    shared = layers_to_mask(model, filters)
    if BASELINE not in done:
        done[BASELINE] = evaluation_of(model, evaluate)
        save()
    first = {"evaluation": done[BASELINE]}
    chosen, curves = {}, {}
    for names in shared.values():
        if names[0] not in done:
            done[names[0]] = _curve(model, evaluate, limit, rates, first, names, sample, seed)
            save()
        curve = tuple((rate, evaluation) for rate, evaluation in done[names[0]])
        held = [rate for rate, found in curve if limit.holds(first, {"evaluation": found})]
        chosen.update(dict.fromkeys(names, min(held, default=1.0)))
        curves.update(dict.fromkeys(names, curve))
    return WinnerRatesReport(done[BASELINE], float(limit.tolerance), chosen, curves)


def _curve(model, evaluate, limit, rates, first, names, sample, seed):
    """Lower the rate of one tensor until that is not tolerated."""
    curve = []
    for rate in rates:
        copy = attach_activation_masks(model, dict.fromkeys(names, rate), sample, seed)
        compile_like(copy, model)
        curve.append((rate, evaluation_of(copy, evaluate)))
        if not limit.holds(first, {"evaluation": curve[-1][1]}):
            break
    return curve


def layers_to_mask(model, filters):
    """Dict from operations that make activations to the names of the layers whose they are."""
    found, reasons = {}, []
    for name, place in activation_places(graph_to_follow(model), filters).items():
        if isinstance(place, str):
            reasons.append(place)
        else:
            found.setdefault(place, []).append(name)
    if not found:
        raise ValueError(
            "The model has no layer whose activations can be masked. "
            f"Received: {reasons or f'filters={filters!r}'}"
        )
    return found


def checked_rates(rates):
    """The rates that a search tries: numbers from 0 to 1 that fall; `None` is the default."""
    rates = [check_share("rates", rate) for rate in (_RATES if rates is None else rates)]
    if not rates or sorted(set(rates), reverse=True) != rates:
        raise ValueError(f"Argument `rates` must hold numbers that fall. Received: rates={rates}")
    return rates
