import numpy as np

from keras_prune.reconstruction.pursuit import pursue


def by_definition(contributions, target, count, kept):
    kept = list(kept)
    while len(kept) < count:
        factors, *_ = np.linalg.lstsq(contributions[:, kept], target, rcond=None)
        left = target - contributions[:, kept] @ factors
        errors = np.full(contributions.shape[1], np.inf)
        for unit in set(range(len(errors))) - set(kept):
            column = contributions[:, unit]
            factor = left @ column / (column @ column)
            errors[unit] = np.sum((left - factor * column) ** 2)
        kept.append(int(np.argmin(errors)))
    return np.isin(np.arange(contributions.shape[1]), kept)


def test_each_unit_is_the_one_that_explains_most_of_what_is_left():
    for seed in range(5):
        random = np.random.default_rng(seed)
        contributions = random.normal(size=(40, 12)) @ random.normal(size=(12, 12))
        target = contributions.sum(axis=1) + random.normal(size=40)
        gram, cross = contributions.T @ contributions, contributions.T @ target
        for count, required in ((1, ()), (5, ()), (7, (2, 9)), (12, ())):
            keep = pursue(gram, cross, count, np.isin(np.arange(12), required))
            expected = by_definition(contributions, target, count, required)
            np.testing.assert_array_equal(keep, expected)


def test_orthogonal_contributions_stay_by_size():
    gram = np.diag([9.0, 1.0, 4.0, 25.0])
    keep = pursue(gram, np.diagonal(gram), 2, np.zeros(4, bool))
    np.testing.assert_array_equal(keep, [True, False, False, True])


def test_a_unit_that_others_explain_comes_last():
    contributions = np.random.default_rng(0).normal(size=(50, 4))
    contributions[:, 3] = contributions[:, 0]
    gram = contributions.T @ contributions
    keep = pursue(gram, gram.sum(axis=1), 3, np.zeros(4, bool))
    assert keep[1] and keep[2] and keep[0] != keep[3]
    assert pursue(gram, gram.sum(axis=1), 4, np.zeros(4, bool)).all()
    assert pursue(np.zeros((3, 3)), np.zeros(3), 2, np.zeros(3, bool)).sum() == 2
