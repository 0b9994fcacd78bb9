"""What lanebook raises on purpose; anything else is a bug and keeps its traceback."""

from __future__ import annotations


class LanebookError(Exception):
    """The base of every error that is reported in one line."""


class InputError(LanebookError):
    """Input that lanebook refuses.

    It ends the reading of one packet or document, never of the others. The inner code states the
    problem, each level outwards adds its step with :meth:`within`; the reader sees
    ``verdict.json: files[1].sha256: not a SHA-256 digest``.
    """

    def __init__(self, problem: str, *, code: str = "INPUT", place: tuple[str, ...] = ()) -> None:
        """Keep the problem, its stable code and the steps that lead to it."""
        super().__init__(problem)
        self.problem = problem
        self.code = code
        self.place = place

    def within(self, step: str) -> InputError:
        """Return the same problem seen from one level further out."""
        return InputError(self.problem, code=self.code, place=(step, *self.place))

    def __str__(self) -> str:
        """Join the steps and the problem as ``a: b: problem``."""
        return ": ".join((*self.place, self.problem))

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process, keyword arguments included."""
        return _rebuild_input_error, (self.problem, self.code, self.place)


def _rebuild_input_error(problem: str, code: str, place: tuple[str, ...]) -> InputError:
    return InputError(problem, code=code, place=place)


class UsageError(LanebookError):
    """The command was called in a way that cannot work; exit code 2."""


class NoVerdictError(LanebookError):
    """Nothing could be decided: nothing to check, or it could not be read; exit code 3."""


class BuildError(NoVerdictError):
    """The site could not be written; the one that was there before is still whole."""
