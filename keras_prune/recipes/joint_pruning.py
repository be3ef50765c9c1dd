"""Joint pruning: static zeros in the weights, dynamic ones in the activations."""

import keras

from keras_prune.recipes.iterative import iterative_prune
from keras_prune.recipes.joint_masks import JointMasks
from keras_prune.recipes.joint_report import JointPruningReport, JointStage
from keras_prune.recipes.joint_store import JointStore
from keras_prune.recipes.round_checks import check_arguments
from keras_prune.recipes.tolerance import Tolerance


def joint_prune(
    model,
    train,
    evaluate=None,
    sparsity=None,
    rounds=None,
    winner_rates=None,
    tolerance=0.02,
    final_tolerance=None,
    raises=3,
    monitor=None,
    mode="auto",
    learning_rate_factor=0.1,
    fine_tune_factor=0.1,
    optimizer=None,
    scale_dropout=False,
    criterion="magnitude",
    granularity="unstructured",
    allocation="uniform",
    filters=None,
    mask_filters=None,
    sample=None,
    data=None,
    density_data=None,
    seed=None,
    directory=None,
    resume="epoch",
    target=None,
    quantize=None,
):
    """Prune weights and activations of a trained model, and fine-tune it with both.

    From [Yang et al., 2019](https://arxiv.org/abs/1906.07875), in four stages:

    1. The weights are pruned and retrained in rounds, see `kp.iterative_prune`: the static mask.
       The paper's penalty on the weights is the business of `train`, as below.
    2. Layer by layer, the rate of winners falls as far as `tolerance` allows, see
       `kp.search_winner_rates`.
    3. A copy of the model gets the masks on its activations, see `kp.attach_activation_masks`.
    4. The copy is fine-tuned once, with all masks on; weights that are zero stay zero.

    Where the result is worse than the model was at the call by more than `final_tolerance`, the
    winner rates of the leading half of the masked layers go up by one step, and stage 4 goes on
    from there.

    Accuracy, densities, the compression of the weights and the share of the multiply-accumulates
    that is left are reported for the model as it was given and behind each stage.

    Example:

    ```python
    def train(model, callbacks, round):
        penalty = kp.RegularizeCallback(keras.regularizers.L1(1e-5))
        model.fit(x, y, epochs=2, callbacks=[penalty, *callbacks], verbose=0)

    report = kp.joint_prune(model, train, (x_held_out, y_held_out), sparsity=0.9, rounds=3)
    print(report)
    report.model.evaluate(x_test, y_test)
    ```

    Args:
        model: Built, compiled, trained `keras.Model`. Afterwards it has the pruned weights of
            stage 1.
        train: Callable(model, callbacks, round), see `kp.iterative_prune`. The rounds from 1 to
            `rounds` prune weights, those above fine-tune with masks.
        evaluate: Callable(model) that returns a number or a dict of them, or what
            `model.evaluate` takes. It should be training data that was held out. Defaults to
            `None`, which needs given `winner_rates`.
        sparsity: See `kp.iterative_prune`. Defaults to `0.8`.
        rounds: See `kp.iterative_prune`. Defaults to `5`.
        winner_rates: Dict from names of layers to floats in [0, 1], or one float for all layers:
            no search. Or a list of floats that fall: what the search tries. Defaults to `None`:
            the search tries its own.
        tolerance: Float >= 0. How much worse each mask alone may make the evaluation. Defaults to
            `0.02`.
        final_tolerance: Float >= 0 or `None`. How much worse than at the call the result may be
            before rates go up. Defaults to `None`: they stay.
        raises: Int >= 0. How often they go up at most. Defaults to `3`.
        monitor: Str. The name in the evaluation that both tolerances look at. Defaults to the
            first that is not `"loss"`, if there is one.
        mode: Str. `"max"` if more is better, `"min"` if less is, `"auto"`: `"min"` for names
            with "loss" or "error" in them, else `"max"`. Defaults to `"auto"`.
        learning_rate_factor: See `kp.iterative_prune`. Defaults to `0.1`.
        fine_tune_factor: Float in (0, 1] or `None`. The same for stage 4. Defaults to `0.1`.
        optimizer: What `model.compile` takes, for stage 4; the paper uses Adadelta. Defaults to
            a new one of the model's kind.
        scale_dropout: Bool. Multiply the rate of a Dropout layer by the root of the density of
            the kernels before it, and where a mask is nearer, of its winner rate, while the model
            trains. Defaults to `False`.
        criterion: See `kp.iterative_prune`. Defaults to `"magnitude"`.
        granularity: See `kp.iterative_prune`. Defaults to `"unstructured"`.
        allocation: See `kp.iterative_prune`. Defaults to `"uniform"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Layers whose weights are
            pruned. Defaults to all.
        mask_filters: The same for the layers whose activations are masked by the search.
            Defaults to all but those that make outputs.
        sample: See `kp.layers.WinnerTakeAll`. Defaults to `None`.
        data: See `kp.iterative_prune`. Defaults to `None`.
        density_data: See `data` of `kp.cost`: what densities are counted on. Defaults to
            `evaluate` where that is a tuple of arrays; else there are none.
        seed: Int >= 0 or `None`. Defaults to one drawn from numpy's global generator, which a
            `directory` remembers.
        directory: Path-like. Where the state of the call is kept, so that nothing is lost when
            the process is killed; made where it is missing. Defaults to `None`, in memory.
        resume: Str. See `kp.iterative_prune`. Defaults to `"epoch"`.
        target: See `kp.iterative_prune`. Defaults to `None`.
        quantize: See `kp.iterative_prune`. Defaults to `None`.

    Returns:
        A `kp.JointPruningReport`; its `model` is compiled and has the masks.

    Raises:
        ValueError: If an argument is wrong, a layer is unknown, no layer has activations to mask,
            `train` does not use the callbacks or compiles the model, or the directory is damaged
            or of another call.
    """
    check_arguments(model, train, seed, resume)
    settings = {
        "recipe": "joint_prune",
        "winner_rates": winner_rates,
        "tolerances": (tolerance, final_tolerance, raises, monitor, mode),
        "optimizer": None if optimizer is None else keras.optimizers.get(optimizer).get_config(),
        "fine_tune_factor": fine_tune_factor,
        "mask_filters": "callable" if callable(mask_filters) else mask_filters,
        "sample": sample,
    }
    masks = JointMasks(winner_rates, tolerance, monitor, mode, evaluate, mask_filters, sample)
    limit = Tolerance(final_tolerance, monitor, mode, evaluate)
    if not isinstance(raises, int) or isinstance(raises, bool) or raises < 0:
        raise ValueError(f"Argument `raises` must be an int >= 0. Received: raises={raises!r}")
    masks.check(model)
    if density_data is None and isinstance(evaluate, tuple):
        density_data = evaluate
    store = JointStore(directory, settings, seed)
    shared = {"filters": filters, "seed": store.seed, "resume": resume}

    def prune_weights():
        return iterative_prune(
            model,
            train,
            evaluate,
            sparsity,
            rounds,
            learning_rate_factor,
            scale_dropout=scale_dropout,
            criterion=criterion,
            granularity=granularity,
            allocation=allocation,
            data=data,
            directory=store.folder("weights"),
            target=target,
            quantize=quantize,
            **shared,
        )

    def fine_tune(masked, number, attempt):
        return iterative_prune(
            masked,
            lambda model, callbacks, _: train(model, callbacks, number),
            evaluate,
            sparsity=0.0,  # the zeros that are there stay
            rounds=1,
            learning_rate_factor=fine_tune_factor,
            scale_dropout=scale_dropout,
            directory=store.folder(f"joint_{attempt}"),
            **shared,
        )

    spent = {"dense": store.cost("dense", model, density_data)}
    pruned = prune_weights()
    spent["weights"] = store.cost("weights", model, density_data)
    found, rates = masks.rates(model, store)
    masked = masks.attach(model, rates, store.seed, optimizer)
    spent["masked"] = store.cost("masked", masked, density_data)
    tunings = []
    for attempt in range(raises + 1):
        if attempt:
            higher = masks.raised(rates)
            if higher == rates:
                break
            rates, masked = higher, masks.attach(masked, higher, store.seed, optimizer)
        tunings.append(fine_tune(masked, len(pruned.rounds) + attempt, attempt))
        if limit.holds(vars(pruned.rounds[0]), vars(tunings[-1].rounds[-1])):
            break
    spent["joint"] = store.cost("joint", masked, density_data)
    rows = (pruned.rounds[0], pruned.rounds[-1], tunings[0].rounds[0], tunings[-1].rounds[-1])
    stages = tuple(
        JointStage(name, row.evaluation, spent[name]) for name, row in zip(spent, rows, strict=True)
    )
    return JointPruningReport(stages, rates, pruned, found, tuple(tunings), masked)
