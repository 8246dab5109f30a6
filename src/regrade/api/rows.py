"""The rows of a dataset that do not fit: the first few in words, the others counted."""

from regrade.errors import DatasetError

__all__ = ["BadRows"]

_TOLD = 5


class BadRows:
    """Collects what is wrong with samples in one pass; holds no more than the first few.

    Args:
        eval_name: Stands before the message.
    """

    def __init__(self, eval_name: str) -> None:
        self._name = eval_name
        self._first: list[DatasetError] = []
        self._count = 0

    def add(self, error: DatasetError) -> None:
        """Note one sample that does not fit."""
        self._count += 1
        if len(self._first) < _TOLD:
            self._first.append(error)

    def check(self) -> None:
        """Refuse the dataset if anything was noted.

        Raises:
            DatasetError: The one sample as it is; of several the first few and how many more there are.
        """
        if self._count == 1:
            raise self._first[0]
        if not self._count:
            return
        lines = [self._line(error) for error in self._first]
        more = self._count - len(lines)
        lines += [f"... and {more:,} more"] if more else []
        hints = dict.fromkeys(error.hint for error in self._first if error.hint)
        raise DatasetError(
            "\n  ".join([f"{self._name}: {self._count:,} samples do not fit", *lines]),
            hint="\n  ".join([*hints][:1]) or None,
        )

    def _line(self, error: DatasetError) -> str:
        place = f"{error.where}: " if error.where else ""
        return place + error.message.removeprefix(f"{self._name}: ")
