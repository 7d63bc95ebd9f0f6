"""`python -m genre_lib` is the command `genre-lib`."""

import sys

from genre_lib.cli.main import main

sys.exit(main())
