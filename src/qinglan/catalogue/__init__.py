"""Shared tables, data only: factors, national region codes, flags; where they come from is in ``sources.csv``."""
