"""How fast messages may go out."""

import time

_BURST_SECONDS = 0.25


class Pace:
    """Lets at most `rate` messages a second through; 0 lets all."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(2.0, rate * _BURST_SECONDS)
        self._tokens, self._at = 1.0, time.monotonic()

    def take(self, size: int) -> int:
        """Say how many of so many may go now, and count them as gone."""
        if not self._rate:
            return size
        now = time.monotonic()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        granted = max(0, min(size, int(self._tokens)))
        self._tokens -= granted
        return granted

    def wait(self) -> float:
        """Say after how many seconds another one may go."""
        return max(0.0, 1.0 - self._tokens) / self._rate if self._rate else 0.0
