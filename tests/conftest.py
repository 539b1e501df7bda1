"""Hypothesis: the same examples on every CI run, new ones at a desk."""

import os

from hypothesis import settings

# No deadline: the first example imports torch's kernels and takes a hundred times as long as the next.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
