"""`keras-prune explain`."""

from keras_prune.commands.weights_as_code import add_weights_as_code

SUMMARY = "tell which kernel runs each operator, and why"
DESCRIPTION = """\
Tell for every operator of a TensorFlow Lite file which kernel runs it in the delegate, or in a C
program for a processor, and why.

examples:
  keras-prune explain model.tflite
  keras-prune explain model_int8.tflite --target cortex-m4
"""


def add_arguments(parser):
    """Add what the command takes to its parser."""
    parser.add_argument("file", metavar="FILE", help="a .tflite file")
    parser.add_argument(
        "--target",
        default="delegate",
        help="delegate, or a processor such as cortex-m4 (default delegate)",
    )
    add_weights_as_code(parser)


def run(arguments):
    """The report to print."""
    from keras_prune.export.explain import explain

    options = {}
    if arguments.weights_as_code is not None:
        options["weights_as_code"] = arguments.weights_as_code or True
    return explain(arguments.file, target=arguments.target, **options)
