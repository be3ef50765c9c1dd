"""The command line, `keras-prune`."""

import argparse
import contextlib
import json
import os
import pathlib
import sys
import tempfile

import numpy as np

from keras_prune import __version__

DESCRIPTION = """\
Make neural networks small and fast where they run.

A pruned Keras model goes in; a sparse .tflite file that every stock runtime loads comes out, or
plain C for a microcontroller.
"""

INSPECT = """\
List the weights of a Keras (.keras, .h5) or TensorFlow Lite file: zeros, bytes and
multiply-accumulates.

example:
  keras-prune inspect model.tflite
"""

PRUNE = """\
Set the smallest weights of a Keras file to zero, in one shot and without training. How much
accuracy that costs is for you to see; `kp.PruneCallback` prunes while a model trains.

examples:
  keras-prune prune model.keras pruned.keras --sparsity 0.8
  keras-prune prune model.keras pruned.keras --granularity auto --target x86-avx512 --quantize int8
"""

CONVERT = """\
Convert a pruned Keras model, or a TensorFlow Lite file that somebody else made, to a sparse
TensorFlow Lite file. The new file has run beside the dense one and given the same outputs before
it is written.

examples:
  keras-prune convert model.keras model.tflite
  keras-prune convert model.keras model.tflite --quantize int8 --representative-data x.npy
  keras-prune convert dense.tflite sparse.tflite --profile small
"""

BENCH = """\
Time TensorFlow Lite files in LiteRT, with its own kernels and with the delegate, in turns. Name
the dense files first: speeds are relative to the first row.

example:
  keras-prune bench dense.tflite dense_int8.tflite sparse_int8.tflite --threads 2
"""

EXPLAIN = """\
Tell for every operator of a TensorFlow Lite file which kernel runs it in the delegate, or in a C
program for a processor, and why.

examples:
  keras-prune explain model.tflite
  keras-prune explain model_int8.tflite --target cortex-m4
"""

EXPORT_C = """\
Write a self-contained C11 project from an int8 TensorFlow Lite file: sparse weights, a static
arena, no malloc, only the kernels that the model needs.

example:
  keras-prune export-c model_int8.tflite firmware/model --target cortex-m4
"""


def main(argv=None):
    """Run a command.

    Args:
        argv: List of str. Defaults to the arguments of the process.

    Returns:
        The exit code: 0, or 2 after one sentence on stderr.
    """
    try:
        arguments = _parser().parse_args(argv)
        with _silence():
            text = arguments.run(arguments)
        print(text, flush=True)
    except SystemExit as end:  # argparse leaves so after --help and --version
        return end.code
    except (ValueError, ImportError, OSError) as error:
        message = " ".join(str(error).split())
        print(f"keras-prune: error: {message}", file=sys.stderr)
        return 2
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise ValueError(f"{message[0].upper()}{message[1:]}; see `{self.prog} --help`.")


def _parser():
    parser = _Parser(
        prog="keras-prune",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"keras-prune {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (summary, description, add_arguments, run) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        add_arguments(command)
    return parser


def _add_inspect(parser):
    parser.add_argument("file", metavar="FILE", help="a .keras, .h5 or .tflite file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_prune(parser):
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
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_convert(parser):
    parser.add_argument("source", metavar="SOURCE", help="a .keras, .h5 or .tflite file")
    parser.add_argument("destination", metavar="DESTINATION", help="the .tflite file to write")
    parser.add_argument(
        "--quantize", choices=["int8", "dynamic"], help="8-bit weights and activations, or weights"
    )
    parser.add_argument(
        "--representative-data",
        metavar="FILE",
        help=".npy file (samples, ...), or .npz file with an array for each input",
    )
    parser.add_argument(
        "--profile",
        default="portable",
        choices=["portable", "small", "f32-fc-fast"],
        help="portable: full speed in every runtime (default); small: also sparse 8-bit "
        "FULLY_CONNECTED; f32-fc-fast: float FULLY_CONNECTED pruned in blocks of 1x4 runs sparse "
        "in the stock runtimes",
    )
    parser.add_argument("--dense", action="store_true", help="keep the weights dense")
    parser.add_argument(
        "--custom-operators",
        action="store_true",
        help="WinnerTakeAll becomes one operator, for the delegate and C projects only",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_bench(parser):
    parser.add_argument("files", metavar="FILE", nargs="+", help="a .tflite file")
    parser.add_argument("--threads", type=int, default=1, help="threads (default 1)")
    parser.add_argument("--runs", type=int, default=15, help="rounds (default 15)")
    parser.add_argument("--no-delegate", action="store_true", help="time LiteRT alone")
    parser.add_argument(
        "--delegate-option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an option of the delegate, such as min_sparsity=0.5; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_explain(parser):
    parser.add_argument("file", metavar="FILE", help="a .tflite file")
    parser.add_argument(
        "--target",
        default="delegate",
        help="delegate, or a processor such as cortex-m4 (default delegate)",
    )
    _add_weights_as_code(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_export_c(parser):
    parser.add_argument("file", metavar="FILE", help="an int8 .tflite file")
    parser.add_argument("directory", metavar="DIRECTORY", help="the folder to write")
    parser.add_argument("--target", default="cortex-m4", help="the processor (default cortex-m4)")
    parser.add_argument(
        "--name", default="model", help="what all names in C begin with (default model)"
    )
    _add_weights_as_code(parser)


def _add_weights_as_code(parser):
    parser.add_argument(
        "--weights-as-code",
        metavar="NUMBER",
        type=int,
        nargs="*",
        help="weights of dense layers, on Hexagon of convolutions, become instructions where that "
        "is fastest: of all, or of the operators of these numbers; fast, but large (Cortex-M4, M7, "
        "M33, Hexagon)",
    )


def _inspect(arguments):
    from keras_prune.report.inspection import inspect_file

    return _shown(inspect_file(arguments.file), arguments)


def _prune(arguments):
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
    return _shown(report, arguments)


def _convert(arguments):
    from keras_prune.export.sparsify import sparsify_tflite
    from keras_prune.export.tflite import export_tflite
    from keras_prune.report.inspection import KERAS_SUFFIXES, load_keras

    data = _load_data(arguments.representative_data)
    source, destination = pathlib.Path(arguments.source), arguments.destination
    if source.suffix.lower() in KERAS_SUFFIXES:
        model = load_keras(source)
        sparse = not arguments.dense
        report = export_tflite(
            model,
            destination,
            arguments.quantize,
            data,
            sparse,
            arguments.profile,
            arguments.custom_operators,
        )
        return _shown(report, arguments)
    if arguments.quantize or arguments.dense or arguments.custom_operators:
        raise ValueError(
            "Options --quantize, --dense and --custom-operators are for Keras files; a TensorFlow "
            f"Lite file keeps its types and operators. Received: SOURCE={source}"
        )
    return _shown(sparsify_tflite(source, destination, arguments.profile, data), arguments)


def _bench(arguments):
    from keras_prune.runtime.benchmark import benchmark

    options = {}
    for text in arguments.delegate_option:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"A delegate option is NAME=VALUE. Received: --delegate-option {text}")
        options[name] = value
    if arguments.no_delegate and options:
        raise ValueError("Option --delegate-option needs the delegate. Received: --no-delegate")
    report = benchmark(
        arguments.files,
        delegate=False if arguments.no_delegate else options or True,
        threads=arguments.threads,
        runs=arguments.runs,
    )
    return _shown(report, arguments)


def _explain(arguments):
    from keras_prune.export.explain import explain

    options = {}
    if arguments.weights_as_code is not None:
        options["weights_as_code"] = arguments.weights_as_code or True
    return _shown(explain(arguments.file, target=arguments.target, **options), arguments)


def _export_c(arguments):
    from keras_prune.export.c import export_c

    listed = arguments.weights_as_code
    report = export_c(
        arguments.file,
        arguments.directory,
        target=arguments.target,
        name=arguments.name,
        weights_as_code=False if listed is None else listed or True,
    )
    return str(report)


def _shown(report, arguments):
    return json.dumps(report.to_dict(), indent=2) if arguments.json else str(report)


def _load_data(path):
    if path is None:
        return None
    try:
        data = np.load(path, allow_pickle=False)
        if isinstance(data, np.ndarray):
            return data
        with data:
            arrays = dict(data)
    # numpy has no error type of its own for files that it cannot read.
    except Exception as error:
        raise ValueError(
            f"The representative data cannot be read: {error}. Received: path={path}"
        ) from None
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


@contextlib.contextmanager
def _silence():
    # TensorFlow greets with a dozen lines, straight to the file descriptor of stderr.
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


_COMMANDS = {
    "inspect": (
        "list the weights of a file: zeros, bytes, multiply-accumulates",
        INSPECT,
        _add_inspect,
        _inspect,
    ),
    "prune": (
        "set the smallest weights of a Keras file to zero",
        PRUNE,
        _add_prune,
        _prune,
    ),
    "convert": (
        "convert a Keras or TensorFlow Lite file to a sparse .tflite",
        CONVERT,
        _add_convert,
        _convert,
    ),
    "bench": (
        "time files in LiteRT, with and without the delegate",
        BENCH,
        _add_bench,
        _bench,
    ),
    "explain": (
        "tell which kernel runs each operator, and why",
        EXPLAIN,
        _add_explain,
        _explain,
    ),
    "export-c": (
        "write a C project for a microcontroller",
        EXPORT_C,
        _add_export_c,
        _export_c,
    ),
}
