"""Accounts, organisations, roles, sessions, tokens and the trail of who did what."""
