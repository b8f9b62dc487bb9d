"""Weights that are a learned step times small integers, and what those cost in a file."""
