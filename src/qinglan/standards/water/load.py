"""Loads and capacities of rivers and lakes: mixing, first-order decay, what a reach can bear.

Concentrations in mg/L, flows in m³/s, lengths in m, velocities in m/s, decay in 1/d, loads in t/a. Numbers and NumPy
arrays alike. 依据: HJ 2.3—2018; GB/T 25173—2010 (check M).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Number: TypeAlias = Any
"""A number or a NumPy array."""

SECONDS_OF_DAY = 86_400
TONNES_OF_YEAR = 31.536
"""t/a in one mg/L × m³/s: 365 days of 86,400 seconds."""


def load(concentration: Number, flow: Number) -> Number:
    """Return the load of a flow, t/a.

    Examples
    --------
    >>> load(2.0, 10.0)
    630.72
    """
    return concentration * flow * TONNES_OF_YEAR


def mixed(outlet: Number, outlet_flow: Number, upstream: Number, upstream_flow: Number) -> Number:
    """Return the concentration after an outlet has mixed with the river. 依据: HJ 2.3—2018 零维模型.

    Examples
    --------
    >>> mixed(outlet=50.0, outlet_flow=1.0, upstream=10.0, upstream_flow=9.0)
    14.0
    """
    return (outlet * outlet_flow + upstream * upstream_flow) / (outlet_flow + upstream_flow)


def decayed(concentration: Number, decay: float, distance: Number, velocity: float) -> Number:
    """Return the concentration `distance` downstream. 依据: HJ 2.3—2018 纵向一维模型.

    Examples
    --------
    >>> round(float(decayed(20.0, decay=0.2, distance=43_200.0, velocity=0.5)), 4)  # one day: 20 × e^−0.2
    16.3746
    """
    return concentration * np.exp(-decay * distance / (SECONDS_OF_DAY * velocity))


def capacity(
    goal: Number,
    upstream: Number,
    upstream_flow: Number,
    outlet_flow: Number,
    *,
    decay: float = 0.0,
    length: float = 0.0,
    velocity: float = 1.0,
) -> Number:
    """Return what a reach can bear, t/a: the goal less what arrives from upstream, in the whole flow.

    Without decay or length it is the capacity of a mixed reach. 依据: GB/T 25173—2010 河流一维模型.

    Examples
    --------
    >>> round(float(capacity(20.0, upstream=15.0, upstream_flow=9.0, outlet_flow=1.0)), 2)  # 31.536 × 5 × 10
    1576.8
    """
    arriving = decayed(upstream, decay, length, velocity)
    return (goal - arriving) * (upstream_flow + outlet_flow) * TONNES_OF_YEAR


def capacity_from_middle(
    goal: Number, upstream: Number, flow: Number, *, decay: float, length: float, velocity: float
) -> Number:
    """Return what a reach can bear, t/a, with its outlets gathered at the middle. 依据: GB/T 25173—2010."""
    half = np.exp(decay * length / (2 * SECONDS_OF_DAY * velocity))
    return (goal - decayed(upstream, decay, length, velocity)) * half * flow * TONNES_OF_YEAR


def lake_steady(load_: Number, outflow: float, volume: float, decay: float) -> Number:
    """Return the steady concentration, mg/L, of a mixed lake that takes `load_` t/a; `volume` in m³.

    依据: HJ 2.3—2018 湖库均匀混合模型.

    Examples
    --------
    >>> lake_steady(63.072, outflow=1.0, volume=0.0, decay=0.0)
    2.0
    """
    return load_ / TONNES_OF_YEAR / (outflow + decay / SECONDS_OF_DAY * volume)
