"""Doors to the outside: files handed in, devices that send, other systems."""
