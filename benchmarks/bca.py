"""BCa intervals of ten thousand patterns against scipy, pattern by pattern: ``python -m benchmarks.bca [PATTERNS]``.

Both sides resample as often and see the same samples of 1,000 costs. scipy is timed on every 100th pattern, one call
each, as one would write it; its time is scaled up by 100 and its intervals are compared with ours.
"""

import sys
import time

import numpy as np
from scipy import stats

from benchmarks.results import report
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.bootstrap import bca_interval, bootstrap_means, mean_evidence

SIZE, BLOCK, ONE_IN = 1000, 512, 100


def main(patterns: int = 10_000) -> None:
    """Print both times and their ratio."""
    rng, draws = np.random.default_rng(7), RoiPolicy().draws
    sample = rng.lognormal(-3, 1, (patterns, SIZE))

    started = time.perf_counter()
    ours = []
    for start in range(0, patterns, BLOCK):
        block = sample[start : start + BLOCK]
        interval = bca_interval(mean_evidence(block), bootstrap_means(block, draws), SIZE)
        ours.append(np.column_stack(interval))
    seconds = time.perf_counter() - started

    started = time.perf_counter()
    theirs = np.array(
        [
            stats.bootstrap((row,), np.mean, n_resamples=draws, method="BCa", rng=rng).confidence_interval
            for row in sample[::ONE_IN]
        ]
    )
    reference = (time.perf_counter() - started) * patterns / len(theirs)

    report(
        f"BCa intervals of {patterns:,} patterns, times as fast",
        reference / seconds,
        reference="scipy pattern by pattern",
        goal=20,
        more_is_better=True,
        gated=True,
    )
    widths = np.diff(np.concatenate(ours)[::ONE_IN], axis=1) / np.diff(theirs, axis=1)
    print(f"{patterns} patterns of {SIZE} costs, {draws} resamples")
    print(f"ours {seconds:.2f} s, scipy {reference:.1f} s (timed on {len(theirs)}), ratio {reference / seconds:.0f}x")
    print(f"width of our interval over scipy's: median {np.median(widths):.3f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
