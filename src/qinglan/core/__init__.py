"""What every other part stands on; knows no environment."""
