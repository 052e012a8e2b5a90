"""The map: points of one medium in the colours of their class, on a day."""
