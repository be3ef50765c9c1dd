"""`keras-prune prune`."""

import pathlib
import tempfile

SUMMARY = "set the smallest weights of a Keras file to zero"
DESCRIPTION = """\
Set the smallest weights of a Keras file to zero, in one shot and without training. How much
accuracy that costs is for you to see; `kp.PruneCallback` prunes while a model trains.

examples:
  keras-prune prune model.keras pruned.keras --sparsity 0.8
  keras-prune prune model.keras pruned.keras --granularity auto --target x86-avx512 --quantize int8
"""


def add_arguments(parser):
    """Add what the command takes to its parser."""
    parser.add_argument("source", metavar="SOURCE", help="a .keras or .h5 file")
    parser.add_argument("destination", metavar="DESTINATION", help="the .keras file to write")
    parser.add_argument("--sparsity", type=float, help="fraction of zeros (default 0.8)")
    parser.add_argument(
        "--granularity",
        default="unstructured",
        help="unstructured (default), 1x4, 2:4, filter ..., or auto: what the target runs fastest",
    )
    parser.add_argument("--target", help="device of --granularity auto, such as x86-avx512")
    parser.add_argument(
        "--quantize", choices=["int8"], help="--granularity auto chooses for an int8 file"
    )
    parser.add_argument(
        "--allocation", default="uniform", help="uniform (default), global, erk: how much of each"
    )
    parser.add_argument(
        "--filters", metavar="REGEX", action="append", help="prune these layers; may be repeated"
    )


def run(arguments):
    """The report to print."""
    from keras_prune.files import write_atomically
    from keras_prune.one_shot import prune
    from keras_prune.report.inspection import load_keras

    destination = pathlib.Path(arguments.destination)
    if destination.suffix != ".keras":
        raise ValueError(
            f"The pruned model is written as a .keras file. Received: DESTINATION={destination}"
        )
    model = load_keras(pathlib.Path(arguments.source))
    report = prune(
        model,
        arguments.sparsity,
        granularity=arguments.granularity,
        allocation=arguments.allocation,
        filters=arguments.filters,
        target=arguments.target,
        quantize=arguments.quantize,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / destination.name
        model.save(path)
        write_atomically(destination, path.read_bytes())
    return report
