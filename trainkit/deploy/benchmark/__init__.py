"""How fast, how large and how hungry exported models are, each in a process of its own, all in turns.

`trainkit.benchmark` is the function `benchmark`.
"""

from trainkit.deploy.benchmark.benchmark import Plan, benchmark, benchmark_files
from trainkit.deploy.benchmark.result import Benchmark, FileResult

__all__ = ["Benchmark", "FileResult", "Plan", "benchmark", "benchmark_files"]
