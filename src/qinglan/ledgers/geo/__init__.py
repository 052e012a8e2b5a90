"""Shapes at the door: reference systems converted, layers of geographic files read and written."""
