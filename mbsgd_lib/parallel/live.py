"""Progress of the workers in one line of a notebook."""

from collections.abc import Callable

from IPython.display import HTML, display


def live_progress() -> Callable[[dict], None]:
    """Return an `on_progress` that shows a bar below the cell and keeps it up to date."""
    line = display(HTML("Starting the workers …"), display_id=True)
    return lambda progress: line.update(HTML(describe(progress)))


def describe(progress: dict) -> str:
    """Write progress as a bar and a few words."""
    done, total, workers = (progress[name] for name in ("updates", "total", "workers"))
    words = f"{workers} worker{'s' * (workers > 1)}"
    if progress["runs"] > 1:
        words += f", run {progress['run']} of {progress['runs']}"
    if progress["restarts"]:
        words += f", restarts: {progress['restarts']}"
    words += f", update {done:,} of {total:,}, loss {progress['loss']:.4f}"
    return f'<progress value="{done}" max="{total}" aria-label="updates"></progress> {words}'
