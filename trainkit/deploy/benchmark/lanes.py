"""Files in their processes, timed in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from trainkit.deploy.benchmark.candidates import Candidate
from trainkit.deploy.benchmark.given import Given, enough
from trainkit.deploy.benchmark.result import Start
from trainkit.deploy.benchmark.statistics import Timing, summarize
from trainkit.errors import InputError, PredictionError
from trainkit.inference.predictor import TensorFacts, parse_facts
from trainkit.inference.timing import TimedProcess
from trainkit.inference.timing.process import REFUSAL

WARM_SECONDS = 0.1
"""At most, of a slice of warming up; one run at least."""

Give = Callable[[Candidate, Mapping[str, TensorFacts], int], Given]
"""Samples for a file whose inputs are known, as many as a batch has."""


class Lane:
    """A file in its process, with so many threads. What fails is told in `error`; it takes part no more.

    Args:
        candidate: The file.
        threads: That its runtime may use.
        process: Its process, which begins to import the runtime.
        timeout: Seconds that a step may take.
    """

    def __init__(self, candidate: Candidate, threads: int, process: TimedProcess, *, timeout: float) -> None:
        self.candidate, self.threads = candidate, threads
        self.rounds: dict[int, list[list[int]]] = {}
        self.runtime, self.origin, self.error = "", "", ""
        self.notes: list[str] = []
        self.facts: dict[str, Any] = {}
        self._process, self._timeout = process, timeout
        self._load_us = self._first_us = 0.0
        self._peaks: dict[str, int | None] = {}

    def wait(self) -> None:
        """Wait until its runtime is imported: what is timed shall not run beside that."""
        with self._telling():
            self.runtime = self._ask("start")["runtime"]

    def start(self, batches: Iterable[int], give: Give, *, warm_seconds: float) -> None:
        """Open the file, and warm it up at each size of batch that it takes."""
        if self.error:
            return
        with self._telling():
            config = self.candidate.config
            opened = self._ask("open", threads=self.threads, config=str(config) if config else None)
            self._load_us = opened["load_us"]
            inputs = parse_facts(opened, "inputs")
            batches = self._taken(list(batches), inputs)
            given = enough(give(self.candidate, inputs, max(batches)), max(batches))
            self.origin = given.origin
            self._process.give(given.arrays, raw=given.raw, timeout=self._timeout)
            for batch in batches:
                self._warm(batch, warm_seconds)
            self.facts = self._ask("facts")

    def measure(self, batch: int, seconds: float) -> None:
        """Time it for a slice, if it takes such batches."""
        if self.error or batch not in self.rounds:
            return
        with self._telling():
            self.rounds[batch].append(self._ask("measure", batch=batch, seconds=seconds)["ns"])

    def profile(self, give: Give, *, seconds: float) -> dict[str, Any]:
        """Time each operation instead; of a file that fails, a note.

        Returns:
            See `TimedModel.profile`.
        """
        with self._telling():
            config = self.candidate.config
            opened = self._ask("open", threads=self.threads, config=str(config) if config else None)
            given = enough(give(self.candidate, parse_facts(opened, "inputs"), 1), 1)
            self._process.give(given.arrays, raw=given.raw, timeout=self._timeout)
            return self._ask("profile", seconds=seconds)
        reason = self.error.partition(REFUSAL)[2] or self.error
        return {"operations": [], "runs": 0, "note": f"there is none: {reason}"}

    @property
    def result_of_start(self) -> Start | None:
        """How it has started; None if it did not."""
        if not self._peaks:
            return None
        return Start(self.threads, self._load_us, self._first_us, self._peaks)

    @property
    def timings(self) -> list[Timing]:
        """Of each size of batch that was timed."""
        return [summarize(rounds, threads=self.threads, batch=batch) for batch, rounds in self.rounds.items() if rounds]

    def close(self) -> None:
        """End its process."""
        self._process.close()

    def _ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        return self._process.ask(do, timeout=self._timeout, **arguments)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (PredictionError, InputError) as error:
            self.error = str(error)

    def _taken(self, batches: list[int], inputs: Mapping[str, TensorFacts]) -> list[int]:
        """The sizes of batch that the file takes: any, or the one that it was made for."""
        fixed = next((facts.shape[0] for facts in inputs.values() if facts.shape and facts.shape[0]), None)
        if fixed is None or batches == [fixed]:
            return batches
        self.notes.append(f"the file takes {fixed} samples at once, no more and no fewer")
        return [fixed]

    def _warm(self, batch: int, seconds: float) -> None:
        try:
            answer = self._ask("warm", batch=batch, seconds=seconds)
        except PredictionError as error:
            if self._process.is_alive and self._peaks:  # it goes on with the batches that it takes
                self.notes.append(f"batch {batch}: {error}")
                return
            raise
        if not self._peaks:
            self._first_us = answer["first_us"]
        self._peaks[str(batch)] = answer["peak_bytes"]
        if not answer["peak_is_reset"]:
            self.notes.append(
                "the system does not count the peak of memory anew: it may be that of importing the runtime"
            )
        self.rounds[batch] = []


def measure_in_turns(
    lanes: Sequence[Lane],
    batches: Sequence[int],
    *,
    rounds: int,
    seconds: float,
    reference: Callable[[float], list[int]],
) -> list[list[int]]:
    """Time all files in short slices, one after the other, round after round, every other round backwards.

    A file whose runs are longer than a slice takes part until its time is up, in three rounds at least.

    Args:
        lanes: The files, warmed up.
        batches: Sizes of batch.
        rounds: How many.
        seconds: Of each file at each size of batch, over all rounds.
        reference: A fixed piece of work that is timed for some seconds in each round, too.

    Returns:
        The nanoseconds of the reference, round by round.
    """
    cells = [(lane, batch) for batch in batches for lane in lanes if batch in lane.rounds]
    times = []
    for number in range(rounds):
        times.append(reference(seconds / rounds / 4))
        for lane, batch in cells if number % 2 == 0 else reversed(cells):
            if number < FEWEST_ROUNDS or _spent(lane.rounds[batch]) < seconds:
                lane.measure(batch, seconds / rounds)
    return times


FEWEST_ROUNDS = 3


def _spent(rounds: list[list[int]]) -> float:
    return sum(map(sum, rounds)) / 1e9
