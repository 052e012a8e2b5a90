"""Ledgers: lists that are declared on a page and kept with history, checked, imported and exported by one engine."""
