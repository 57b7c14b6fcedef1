"""What validations have come to: the lowest loss, and the learning rate's share that follows from their course."""

import math
from dataclasses import dataclass

from training.config import TrainConfig


@dataclass(slots=True, kw_only=True)
class Validated:
    """Part of a run's state; `take` changes it in place. Equal on all ranks, since a validation's loss is."""

    best_loss: float | None = None
    """Lowest validation loss so far; None before the first finite one."""
    best_step: int = 0
    num_worse: int = 0
    """Validations in a row without a lower loss, or since the learning rate was lowered."""
    rate: float = 1.0
    """Share of the learning rate that the schedule `plateau` has come to."""

    def take(self, loss: float, *, step: int, config: TrainConfig) -> bool:
        """Take in one validation; return whether its loss is the lowest so far. NaN is not."""
        if math.isfinite(loss) and (self.best_loss is None or loss < self.best_loss):
            self.best_loss, self.best_step, self.num_worse = loss, step, 0
            return True
        self.num_worse += 1
        if config.schedule == "plateau" and self.num_worse >= config.plateau_patience:
            self.rate = max(config.final_rate, self.rate * config.plateau_factor)
            self.num_worse = 0
        return False
