"""Kernels as products of smaller ones, and layers in place of a layer."""

from trainkit.deploy.compress.factoring.choice import FACTORABLE, Choice, choose_ranks, factoring_of
from trainkit.deploy.compress.factoring.method import Factoring
from trainkit.deploy.compress.factoring.network import factored, output_errors

__all__ = ["FACTORABLE", "Choice", "Factoring", "choose_ranks", "factored", "factoring_of", "output_errors"]
