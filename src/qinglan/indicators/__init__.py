"""Indicators: what a plan counts, what it must reach, estimates beside confirmed values, and the state."""
