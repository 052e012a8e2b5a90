"""See the architecture guide."""
