"""What the configs of `configs/compression/` reach, each with several seeds, the median of which counts.

    TRAINKIT_DATA=… python benchmarks/compression.py [CONFIG …] [--seeds 1 2 3] [--runs DIRECTORY] [--jobs 2]

Each run is one of `trainkit fit CONFIG seed=SEED` and `trainkit deploy RUN`, nothing else. Configs that train alike,
and differ in `name` and `deploy` only, share their training: it would come out the same, but for the name of the
network, which is that of the first of them; a .tkz file has it in it, some bytes. Teachers are trained once,
with the first seed; name their configs, too. What was done before, in the same directory, is not done again.

Told are the errors on the test samples, in brackets those on the validation samples, before and after; how many times
fewer values are not 0; and the bytes of each file, with how often they go into the float32 weights of the network that
was trained. All of it is read from the files that `trainkit deploy` leaves.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from interleaved import print_place, print_table

from trainkit.config.yaml_reader import read_text

CONFIGS = Path(__file__).parents[1] / "configs/compression"
OWN = ("name", "deploy")
"""What does not matter to a training."""
HEADER = ["config", "seed", "error before", "after", "values ÷", "file", "bytes", "float32 ÷"]


@dataclass(frozen=True)
class Job:
    """One config with one seed.

    Args:
        filepath: The config.
        seed: Of the run.
        teachers: The seed of the runs that are teachers.
        runs: Where the runs of all configs and seeds are.
    """

    filepath: Path
    seed: int
    teachers: int
    runs: Path

    @cached_property
    def content(self) -> dict[str, Any]:
        """The config as it is written."""
        return dict(
            read_text(self.filepath.read_text(), source=self.filepath.name, directory=self.filepath.parent).data
        )

    @property
    def directory(self) -> Path:
        """Of the run."""
        return self.runs / f"seed_{self.seed}" / self.content["name"] / "001"

    @property
    def training(self) -> str:
        """The same for configs that train alike."""
        shared = {key: value for key, value in self.content.items() if key not in OWN}
        return hashlib.sha256(json.dumps([shared, self.seed], sort_keys=True).encode()).hexdigest()

    @property
    def has_teacher(self) -> bool:
        """Whether its training needs that of another config."""
        return "distill" in self.content["training"]

    @property
    def teacher_paths(self) -> list[str]:
        """Of its training and of its fine-tunings."""
        places = (self.content["training"], self.content["deploy"].get("fine_tune", {}))
        return [place["distill"]["teacher"] for place in places if isinstance(place.get("distill"), dict)]

    def fit(self, environment: dict[str, str]) -> None:
        """Train it."""
        shutil.rmtree(self.directory.parent, ignore_errors=True)
        overrides = [f"seed={self.seed}"]
        if self.has_teacher:
            overrides.append(
                f"training.distill.teacher={self._teacher(self.content['training']['distill']['teacher'])}"
            )
        runs = self.directory.parents[1]
        _run(
            ["fit", str(self.filepath), *overrides, "--runs", str(runs)],
            runs / f"{self.filepath.stem}.log",
            environment,
        )

    def deploy(self, trained: Path, environment: dict[str, str]) -> None:
        """Compress and export what was trained, if need be by a config that trains alike."""
        if trained != self.directory:
            shutil.copytree(
                trained, self.directory, ignore=shutil.ignore_patterns("deploy", "compress"), dirs_exist_ok=True
            )
        settings = copy.deepcopy(self.content["deploy"])
        tuning = settings.get("fine_tune", {})
        if isinstance(tuning.get("distill"), dict):
            tuning["distill"]["teacher"] = str(self._teacher(tuning["distill"]["teacher"]))
        overrides = [f"deploy.{key}={json.dumps(value)}" for key, value in settings.items()]
        log = self.directory.parents[1] / f"{self.filepath.stem}.deploy.log"
        _run(["deploy", str(self.directory), *overrides], log, environment)

    def rows(self) -> list[dict[str, Any]]:
        """What was reached, one row for each file; none where nothing is compressed."""
        if not self.content["deploy"].get("compress"):
            return []
        read = {name: json.loads((self.directory / name).read_text()) for name in _FACTS}
        metrics, compression, verify = (read[name] for name in _FACTS)
        first, last = compression["steps"][0], compression["steps"][-1]
        errors = [100 - 100 * value for value in (metrics["test"]["accuracy"], first["accuracy"], last["accuracy"])]
        kept = (1 - first["zeros"]) * first["bytes"] / ((1 - last["zeros"]) * last["bytes"])
        return [
            {
                "config": self.filepath.stem,
                "seed": self.seed,
                "before": errors[0],
                "after": 100 - 100 * file["accuracy"],
                "validation": errors[1:],
                "kept": kept,
                "file": Path(file["file"]).suffix + ("" if file["precision"] == "float32" else f" {file['precision']}"),
                "bytes": file["bytes"],
                "ratio": first["bytes"] / file["bytes"],
            }
            for file in verify["files"]
        ]

    def _teacher(self, path: str) -> Path:
        return self.runs / f"seed_{self.teachers}" / Path(path).name


_FACTS = ("metrics.json", "deploy/compression.json", "deploy/verify.json")


def _run(arguments: list[str], log: Path, environment: dict[str, str]) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", "from trainkit.cli import main; main()", *arguments]
    with log.open("w") as told:
        code = subprocess.run(command, stdout=told, stderr=subprocess.STDOUT, env=environment, check=False).returncode
    if code:
        raise SystemExit(f"trainkit {' '.join(arguments)} ended with exit code {code}:\n{log.read_text()[-3000:]}")


def jobs_of(configs: Sequence[Path], seeds: Sequence[int], runs: Path) -> list[Job]:
    """Each config with each seed; teachers with the first one."""
    jobs = [Job(config.resolve(), seed, seeds[0], runs.resolve()) for config in configs for seed in seeds]
    teachers = {Path(path).name for job in jobs for path in job.teacher_paths}
    return [job for job in jobs if job.seed == seeds[0] or job.content["name"] not in teachers]


def do(jobs: Sequence[Job], side_by_side: int) -> None:
    """Train what has to be trained, teachers first, then deploy; so many at a time."""
    cores = max(1, len(os.sched_getaffinity(0)) // side_by_side)
    environment = os.environ | {"TF_NUM_INTRAOP_THREADS": str(cores), "OMP_NUM_THREADS": str(cores)}
    trained: dict[str, Job] = {}
    for job in sorted(jobs, key=lambda job: not (job.directory / "metrics.json").is_file()):
        trained.setdefault(job.training, job)
    missing = [job for job in trained.values() if not (job.directory / "metrics.json").is_file()]
    with ThreadPoolExecutor(side_by_side) as pool:
        for is_taught in (False, True):
            some = [job for job in missing if job.has_teacher == is_taught]
            list(pool.map(lambda job: job.fit(environment), some))
        left = [job for job in jobs if not (job.directory / "deploy/verify.json").is_file()]
        list(pool.map(lambda job: job.deploy(trained[job.training].directory, environment), left))


def show(jobs: Sequence[Job]) -> None:
    """A row for each seed and file, and their median."""
    rows = [row for job in jobs for row in job.rows()]
    told = []
    for config, file in dict.fromkeys((row["config"], row["file"]) for row in rows):
        some = [row for row in rows if (row["config"], row["file"]) == (config, file)]
        told += [_cells(row, str(row["seed"])) for row in some]
        if len(some) > 1:
            middle = {key: median(row[key] for row in some) for key in ("before", "after", "kept", "bytes", "ratio")}
            validation = [median(row["validation"][index] for row in some) for index in (0, 1)]
            told.append([f"**{one}**" for one in _cells(some[0] | middle | {"validation": validation}, "median")])
    print_table(HEADER, told)


def _cells(row: dict[str, Any], seed: str) -> list[str]:
    before, after = (
        f"{row[key]:.2f}% ({row['validation'][index]:.2f}%)" for index, key in enumerate(("before", "after"))
    )
    kept, ratio = f"{row['kept']:.1f}", f"{row['ratio']:,.1f}"
    return [row["config"], seed, before, after, kept, row["file"], f"{row['bytes']:,.0f}", ratio]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "configs", nargs="*", type=Path, metavar="CONFIG", help="By default all of configs/compression."
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--runs", type=Path, default=Path("runs/compression"), help="Where the runs are left.")
    parser.add_argument("--jobs", type=int, default=1, help="How many at a time; they share the cores.")
    options = parser.parse_args()
    configs = options.configs or sorted(CONFIGS.glob("*.yaml"))
    jobs = jobs_of(configs, options.seeds, options.runs)
    do(jobs, options.jobs)
    print_place()
    show(jobs)


if __name__ == "__main__":
    main()
