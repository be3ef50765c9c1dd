"""The name of a C project: what all that it defines begins with."""

import re

_FORM = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
# NAME.h must not hide a header of the C library, nor NAME stand for something else in CMake.
_HEADERS = "assert complex ctype errno fenv float inttypes iso646 limits locale malloc math setjmp "
_HEADERS += "signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn "
_HEADERS += "string tgmath threads time uchar unistd wchar wctype"
_TARGETS = "all clean edit_cache help install list_install_components package package_source "
_TARGETS += "rebuild_cache test"
_TAKEN = frozenset([*_HEADERS.split(), *_TARGETS.split(), "arduino", "spk"])


def check_name(name):
    """Refuse what cannot be the name of a C project.

    Args:
        name: Str.

    Raises:
        ValueError: If it is no lower-case C identifier, or means something else already.
    """
    if not isinstance(name, str) or not _FORM.fullmatch(name):
        raise ValueError(
            "Argument `name` must consist of lower-case letters, digits and underscores and begin "
            f"with a letter. Received: name={name!r}"
        )
    if name in _TAKEN or name.startswith("spk_"):
        raise ValueError(
            "Argument `name` must not be the name of a C header, a build target or a kernel. "
            f"Received: name={name!r}"
        )
