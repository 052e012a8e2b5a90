"""The demo city's measurements: made, never measured, and marked so; knows no standard, plan or indicator."""
