"""How much is pruned in which round."""

import itertools
import math

from keras_prune.allocation import ALLOCATIONS, PerLayer, Uniform
from keras_prune.granularity.granularity import check_positive
from keras_prune.pruner import Pruner
from keras_prune.registry import check_sparsity

DEFAULT_ROUNDS = 5
DEFAULT_FRACTION = 0.2


def geometric(sparsity, rounds):
    """Sparsities of rounds that all take the same fraction of what is left.

    Round r of R leaves a density of (1 - s) ** (r / R).

    Args:
        sparsity: Float in [0, 1). What the last round makes.
        rounds: Int >= 1.

    Returns:
        List of floats, one a round.
    """
    early = [1.0 - (1.0 - sparsity) ** (index / rounds) for index in range(1, rounds)]
    return [*early, sparsity]


def shrinking(fraction, rounds=None, sparsity=None):
    """Sparsities of rounds, from two of: how much a round takes, how many, and the end.

    Args:
        fraction: Float in (0, 1) or `None`. What every round prunes of the weights that are
            left. `None`: as `rounds` and `sparsity` say, else 0.2.
        rounds: Int >= 1 or `None`. Defaults to as many as `sparsity` needs, else 5.
        sparsity: Float in (0, 1) or `None`. What the last round makes.

    Returns:
        List of floats, one a round: 1 - (1 - fraction) ** r.
    """
    if None not in (fraction, rounds, sparsity):
        raise ValueError(
            "Two of `fraction`, `rounds` and `sparsity` say all: leave one out. "
            f"Received: fraction={fraction}, rounds={rounds}, sparsity={sparsity}"
        )
    if rounds is not None:
        check_positive("rounds", rounds)
    if sparsity is not None:
        _check_open("sparsity", sparsity)
        if rounds is not None:
            return geometric(sparsity, rounds)
    kept = 1.0 - _check_open("fraction", DEFAULT_FRACTION if fraction is None else fraction)
    if sparsity is not None:
        rounds = max(1, math.ceil(math.log(1.0 - sparsity) / math.log(kept) - 1e-9))
    found = [1.0 - kept**index for index in range(1, (rounds or DEFAULT_ROUNDS) + 1)]
    return found if sparsity is None else [*found[:-1], sparsity]


def shrinking_tables(fractions, rounds=None):
    """`shrinking` for every layer: allocations from a table of fractions.

    Args:
        fractions: Dict from regex strings, as `PerLayer` takes them, to floats in [0, 1).
        rounds: Int >= 1 or `None` for 5.

    Returns:
        List of `PerLayer`, one a round.
    """
    PerLayer(fractions)  # refuses what is no table
    rounds = DEFAULT_ROUNDS if rounds is None else check_positive("rounds", rounds)
    return [
        PerLayer({key: 1.0 - (1.0 - value) ** index for key, value in fractions.items()})
        for index in range(1, rounds + 1)
    ]


def tables_to(allocation, rounds):
    """The way to a `PerLayer` table: one table a round, `geometric` for every layer."""
    steps = {key: geometric(value, rounds) for key, value in allocation.table.items()}
    defaults = [None] * rounds
    if allocation.default is not None:
        defaults = geometric(allocation.default, rounds)
    return [
        PerLayer({key: values[index] for key, values in steps.items()}, defaults[index])
        for index in range(rounds)
    ]


def lottery_pruners(fraction, rounds, sparsity, allocation, **settings):
    """One pruner for every round of a lottery ticket."""
    return _with_one_goal(_lottery_pruners(fraction, rounds, sparsity, allocation, **settings))


def _with_one_goal(pruners):
    """Let all rounds prune in the shapes that the last one ends with."""
    for pruner in pruners:
        pruner.goal = pruners[-1]
    return pruners


def _lottery_pruners(fraction, rounds, sparsity, allocation, **settings):
    allocation = ALLOCATIONS.get(allocation)
    if isinstance(fraction, dict):
        if sparsity is not None or not isinstance(allocation, Uniform):
            raise ValueError(
                "A table of fractions says how much of each layer: leave `sparsity` and "
                f"`allocation` out. Received: sparsity={sparsity}, allocation={allocation!r}"
            )
        tables = shrinking_tables(fraction, rounds)
        return [Pruner(allocation=table, **settings) for table in tables]
    if isinstance(allocation, PerLayer):
        if fraction is not None or sparsity is not None:
            raise ValueError(
                "`PerLayer` says how much of each layer: leave `fraction` and `sparsity` out. "
                f"Received: fraction={fraction}, sparsity={sparsity}"
            )
        return final_pruners(None, rounds, allocation, **settings)
    sparsities = shrinking(fraction, rounds, sparsity)
    return [Pruner(value, allocation=allocation, **settings) for value in sparsities]


def final_pruners(sparsity, rounds, allocation, **settings):
    """One pruner for every round on the way to a sparsity, or one for every sparsity of a list."""
    return _with_one_goal(_final_pruners(sparsity, rounds, allocation, **settings))


def _final_pruners(sparsity, rounds, allocation, **settings):
    allocation = ALLOCATIONS.get(allocation)
    if isinstance(sparsity, (list, tuple)):
        sparsities = _check_rising(sparsity, rounds)
        return [Pruner(value, allocation=allocation, **settings) for value in sparsities]
    rounds = DEFAULT_ROUNDS if rounds is None else check_positive("rounds", rounds)
    if isinstance(allocation, PerLayer):
        Pruner(sparsity, allocation=allocation, **settings)  # refuses another sparsity
        tables = tables_to(allocation, rounds)
        return [Pruner(allocation=table, **settings) for table in tables]
    last = Pruner(sparsity, allocation=allocation, **settings).sparsity
    sparsities = geometric(last, rounds)
    return [Pruner(value, allocation=allocation, **settings) for value in sparsities]


def _check_open(name, value):
    if check_sparsity(name, value) == 0.0:
        raise ValueError(f"Argument `{name}` must be above 0. Received: {name}={value}")
    return value


def _check_rising(sparsities, rounds):
    values = [check_sparsity("sparsity", value) for value in sparsities]
    if not values or any(b < a for a, b in itertools.pairwise(values)):
        raise ValueError(
            "Pruned weights do not come back: the sparsities of the rounds cannot fall. "
            f"Received: sparsity={sparsities}"
        )
    if rounds not in (None, len(values)):
        raise ValueError(
            "A list of sparsities has one for every round: leave `rounds` out. "
            f"Received: sparsity={sparsities}, rounds={rounds}"
        )
    return values
