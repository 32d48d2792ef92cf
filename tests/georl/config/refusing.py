"""What a check says of a run."""

from georl.config import ConfigError, check, load


def refusal(settings, processes):
    """Return what is said of settings, on so many processes; None where nothing is."""
    run = load(None, settings.split(" "))
    try:
        check(run, processes)
    except ConfigError as error:
        return str(error)
    return None
