"""The kernel sources that a project needs."""

import re

from keras_prune.runtime.c_targets import source_root

_INCLUDE = re.compile(r'^#include "((?:spk|formats)/[a-z0-9_]+\.h)"', re.MULTILINE)


def project_files(sources):
    """Return the files that a project of these sources needs.

    Args:
        sources: Iterable of paths like `kernels/portable/tile_s8.c`.

    Returns:
        A dict from the path in the project, below `src/`, to the bytes of the file: the sources,
        and every header that they include, directly or not.
    """
    root, files = source_root(), {}
    waiting = sorted(set(sources))
    while waiting:
        path = waiting.pop()
        if path in files:
            continue
        files[path] = (root / path).read_bytes()
        headers = _INCLUDE.findall(files[path].decode())
        waiting += [f"include/{each}" if each.startswith("spk/") else each for each in headers]
    return {f"src/{path.removeprefix('include/')}": files[path] for path in sorted(files)}
