"""What a submission may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one submission may take, all of its processes together."""

    seconds: float = 240.0
    memory: int = 3 * 2**30
    """Bytes, files in memory included."""
    tasks: int = 100
    """Processes and threads, counted together as the kernel counts them."""
    output: int = 2_000_000
    """Bytes printed."""
    file_bytes: int = 100_000_000
    """Bytes in each of its temporary folders."""
    file_count: int = 10_000
    """Files in each of its temporary folders."""

    @property
    def too_long(self) -> str:
        """The reason for a submission that ran out of time."""
        return f"did not finish within {self.seconds:.0f} s"

    @property
    def too_much(self) -> str:
        """The reason for a submission that ran out of memory."""
        return f"took more than {self.memory / 2**30:.1f} GB of memory"

    @property
    def too_many(self) -> str:
        """The reason for a submission that started too many processes or threads."""
        return f"started more than {self.tasks} processes and threads"

    @property
    def too_loud(self) -> str:
        """The reason for a submission that printed without end."""
        return f"printed more than {self.output / 1e6:.0f} MB"
