"""`keras-prune export-c`."""

from keras_prune.commands.weights_as_code import add_weights_as_code

SUMMARY = "write a C project for a microcontroller"
DESCRIPTION = """\
Write a self-contained C11 project from an int8 TensorFlow Lite file: sparse weights, a static
arena, no malloc, only the kernels that the model needs.

example:
  keras-prune export-c model_int8.tflite firmware/model --target cortex-m4
"""


def add_arguments(parser):
    """Add what the command takes to its parser."""
    parser.add_argument("file", metavar="FILE", help="an int8 .tflite file")
    parser.add_argument("directory", metavar="DIRECTORY", help="the folder to write")
    parser.add_argument("--target", default="cortex-m4", help="the processor (default cortex-m4)")
    parser.add_argument(
        "--name", default="model", help="what all names in C begin with (default model)"
    )
    add_weights_as_code(parser)


def run(arguments):
    """The report to print."""
    from keras_prune.export.c import export_c

    listed = arguments.weights_as_code
    return export_c(
        arguments.file,
        arguments.directory,
        target=arguments.target,
        name=arguments.name,
        weights_as_code=False if listed is None else listed or True,
    )
