"""Quantiles of smooth distributions, many at a time.

Belongs here: interpolation of inverse distribution functions. An exact inverse costs about a microsecond; thousands of
patterns with thousands of draws each would spend minutes in it. As a function of the normal score z = Phi^-1(level) the
quantiles used here are nearly straight lines, so a few exact values and cubic interpolation between them do.
"""

import numpy as np
from scipy import special

from pattern_pipeline.economics.intervals import FloatArray

SPAN, NODES_PER_UNIT = 6, 16
SCORES: FloatArray = np.linspace(-SPAN, SPAN, 2 * SPAN * NODES_PER_UNIT + 1)
LEVELS: FloatArray = special.ndtr(SCORES)
"""The probabilities at which exact quantiles are needed, in ascending order."""


def interpolate(node_quantiles: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles at any levels from the exact ones at `LEVELS`.

    Cubic Lagrange interpolation in the normal score over the four nearest nodes. Element by element, so that a row's
    result does not depend on the others.

    Args:
        node_quantiles: quantiles at `LEVELS` (rows x nodes).
        levels: probabilities in (0, 1), one row for all or a row each (1 or rows x any number).

    Returns:
        Quantiles (rows x any number).
    """
    position = (special.ndtri(levels) + SPAN) * NODES_PER_UNIT
    node = np.clip(np.floor(position).astype(np.int64), 1, len(SCORES) - 3)
    t = position - node
    weights = (
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    )
    result = np.zeros(np.broadcast_shapes((len(node_quantiles), 1), levels.shape))
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        result += weight * np.take_along_axis(node_quantiles, node + offset, axis=1)
    return result


def gamma(shapes: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles of Gamma(shape, 1), interpolated in the cube root, which is nearly normal.

    Wilson and Hilferty (1931), "The distribution of chi-square", PNAS 17.
    """
    root = interpolate(np.cbrt(special.gammaincinv(shapes[:, None], LEVELS)), levels[None, :])
    return root * root * root


def beta(a: FloatArray, b: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles of Beta(a, b), kept within [0, 1]."""
    nodes = np.asarray(special.betaincinv(a[:, None], b[:, None], LEVELS), dtype=np.float64)
    return interpolate(nodes, levels[None, :]).clip(0, 1)


def student_t(degrees: int, levels: FloatArray) -> FloatArray:
    """Quantiles of Student's t at levels of any two-dimensional shape."""
    return interpolate(np.broadcast_to(special.stdtrit(degrees, LEVELS), (len(levels), len(LEVELS))), levels)
