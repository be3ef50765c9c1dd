"""`python -m keras_prune` is the `keras-prune` command."""

import sys

from keras_prune.cli import main

sys.exit(main())
