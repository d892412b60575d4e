"""What optimizers ask of a backend: updates under a condition, and updates from given values."""

from core.backend.journal import journal, swapped


def update_if(condition, update, holders):
    """Runs `update()` where `condition` is true; `holders` are the variables that it may write."""
    if condition:
        update()


def run_with(holders, values, run):
    """The holders' values after `run()` had started from `values`; the holders get their own back."""
    with swapped(holders, values), journal() as notes:
        try:
            run()
            return [holder._value for holder in holders]
        finally:
            notes.take_back()
