"""The option that two commands share."""


def add_weights_as_code(parser):
    """Add `--weights-as-code`."""
    parser.add_argument(
        "--weights-as-code",
        metavar="NUMBER",
        type=int,
        nargs="*",
        help="weights of dense layers, on Hexagon of convolutions, become instructions where that "
        "is fastest: of all, or of the operators of these numbers; fast, but large (Cortex-M4, M7, "
        "M33, Hexagon)",
    )
