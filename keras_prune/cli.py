"""The command line, `keras-prune`."""

import argparse
import contextlib
import json
import os
import sys
import tempfile

from keras_prune import __version__
from keras_prune.commands import bench, convert, explain, export_c, inspect, prune

DESCRIPTION = """\
Make neural networks small and fast where they run.

A pruned Keras model goes in; a sparse .tflite file that every stock runtime loads comes out, or
plain C for a microcontroller.
"""

_COMMANDS = {
    "inspect": inspect,
    "prune": prune,
    "convert": convert,
    "bench": bench,
    "explain": explain,
    "export-c": export_c,
}


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
            text = _shown(arguments.run(arguments), arguments)
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
    for name, module in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=module.run)
        module.add_arguments(command)
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _shown(report, arguments):
    return json.dumps(report.to_dict(), indent=2) if arguments.json else str(report)


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
