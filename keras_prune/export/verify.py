"""Does the sparse file compute what the dense file computes?"""

import dataclasses

import numpy as np

from keras_prune.runtime import native
from keras_prune.runtime.interpreter import Job, run_jobs

RESOLVERS = ("default", "reference")
FLOAT_TOLERANCE = 1e-5
TIMEOUT_SECONDS = 300


@dataclasses.dataclass(frozen=True)
class Verification:
    """What the comparison found.

    Args:
        max_difference: Float. The largest absolute difference of any output value.
        samples: Int. How many inputs were run.
        notes: Tuple of str. What could not be compared, and why.
    """

    max_difference: float
    samples: int
    notes: tuple = ()


def verify_files(dense, sparse, name, inputs=None, random_samples=4):
    """Run both files on the same inputs, in a child process, and compare the outputs.

    Both run in LiteRT with its default kernels and with its reference kernels. Integer outputs
    must be equal, floats within 1e-5 of the largest output value.

    Args:
        dense: Path-like. The file to trust.
        sparse: Path-like. The file to check.
        name: Path-like. What error messages call the dense file.
        inputs: Dict of input name to array (samples, ...) or `None`.
        random_samples: Int. Seeded random inputs besides those. Defaults to `4`.

    Returns:
        A `Verification`.

    Raises:
        ValueError: If the dense file does not run, the sparse one does not, or they differ.
    """
    worst, notes, samples = 0.0, [], 0
    for resolver in RESOLVERS:
        expected = _run(dense, resolver, inputs, random_samples)
        if expected.error and resolver == "default":
            raise ValueError(
                f"The file does not run in LiteRT: {expected.error}. Received: path={name}"
            )
        if expected.error:
            notes.append(f"not compared with the {resolver} kernels: {expected.error}")
            continue
        found = _run(sparse, resolver, inputs, random_samples)
        if found.error:
            raise ValueError(
                f"The sparse file does not run in LiteRT's {resolver} kernels, although the dense "
                f"one does, and was not written: {found.error}. Received: path={name}"
            )
        worst = max(worst, _compare(expected.outputs, found.outputs, resolver, name))
        samples = len(expected.outputs)
    return Verification(worst, samples, tuple(notes))


def verify_delegated(stock, custom, name, inputs=None, random_samples=4):
    """Compare a file of stock operators with its twin that needs the delegate for custom ones.

    Both run in LiteRT's reference kernels, which the delegate gives the results of.

    Args:
        stock: Path-like. The file to trust.
        custom: Path-like. The file to check.
        name: Path-like. What error messages call the file.
        inputs: Dict of input name to array (samples, ...) or `None`.
        random_samples: Int. Seeded random inputs besides those. Defaults to `4`.

    Returns:
        A `Verification`.

    Raises:
        ValueError: If one of them does not run, or they differ.
    """
    delegate = {"library": str(native.library_path()), "options": {"min_sparsity": "1"}}
    jobs = (Job(stock, "reference"), Job(custom, "reference", delegate=delegate))
    expected, found = (
        run_jobs({"file": job}, inputs, random_samples, TIMEOUT_SECONDS)["file"] for job in jobs
    )
    for result in (expected, found):
        if result.error:
            raise ValueError(
                "The file with custom operators cannot be checked, and was not written: "
                f"{result.error}. Received: path={name}"
            )
    worst = _compare(expected.outputs, found.outputs, "reference", name)
    return Verification(worst, len(expected.outputs))


def largest_difference(dense, sparse, name, inputs=None, random_samples=4):
    """Return the largest difference of the outputs in LiteRT's default kernels.

    Args:
        dense: Path-like.
        sparse: Path-like.
        name: Path-like. What error messages call the dense file.
        inputs: Dict of input name to array (samples, ...) or `None`.
        random_samples: Int. Defaults to `4`.

    Returns:
        Float.

    Raises:
        ValueError: If one of them does not run.
    """
    expected = _run(dense, "default", inputs, random_samples)
    found = _run(sparse, "default", inputs, random_samples)
    for result in (expected, found):
        if result.error:
            raise ValueError(
                f"The file does not run in LiteRT: {result.error}. Received: path={name}"
            )
    pairs = zip(expected.outputs, found.outputs, strict=True)
    return max(
        _difference(a, b)[0] for want, have in pairs for a, b in zip(want, have, strict=True)
    )


def _run(path, resolver, inputs, random_samples):
    # A process for each, so that a crash tells which file it was.
    jobs = {"file": Job(path, resolver)}
    return run_jobs(jobs, inputs, random_samples, TIMEOUT_SECONDS)["file"]


def _compare(expected, found, resolver, path):
    worst = 0.0
    for sample, (want, have) in enumerate(zip(expected, found, strict=True)):
        for place, (a, b) in enumerate(zip(want, have, strict=True)):
            difference, allowed = _difference(a, b)
            if not difference <= allowed:
                raise ValueError(
                    f"The sparse file's output {place} differs from the dense file's by "
                    f"{difference:g} in LiteRT's {resolver} kernels (random input {sample}), and "
                    f"the file was not written. Received: path={path}"
                )
            worst = max(worst, difference)
    return worst


def _difference(a, b):
    if a.shape != b.shape or a.dtype != b.dtype:
        return np.inf, 0.0
    if a.size == 0 or np.array_equal(a, b):
        return 0.0, 0.0
    if a.dtype.kind != "f":
        if a.dtype.kind not in "iu":
            return np.inf, 0.0
        return float(np.abs(a.astype(np.int64) - b.astype(np.int64)).max()), 0.0
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return np.inf, 0.0
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return np.inf, 0.0
    scale = float(np.abs(a[finite]).max(initial=0.0))
    gap = np.abs(a[finite].astype(np.float64) - b[finite])
    return float(gap.max(initial=0.0)), FLOAT_TOLERANCE * scale
