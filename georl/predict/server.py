"""Ask an OpenAI-compatible server about the photos of a run."""

from __future__ import annotations

from PIL import Image

from georl.config import Config, ConfigError
from georl.data import Turn, with_image
from georl.endpoints import Endpoint, EndpointError, EndpointRefusalError, Pace, picture


def ask(config: Config, name: str, chat: list[Turn], image: Image.Image, pace: Pace) -> str | None:
    """Return what the server answers about one photo, None where it failed every time.

    Raises
    ------
    ConfigError
        Where the server refuses the request itself: no key, no such model.
    """
    options = config.predict
    server = Endpoint(
        str(options.url),
        config.model.name,
        options.key_variable,
        options.retries,
        options.timeout_s,
    )
    try:
        return server.chat(
            with_image(chat, picture(image)),
            max_tokens=options.max_tokens,
            temperature=options.temperature,
            pace=pace,
        ).text
    except EndpointRefusalError as error:
        msg = f"{options.url} refused row {name!r}: {error}"
        raise ConfigError(msg) from error
    except EndpointError as error:
        print(f"row {name!r}: {error}")
        return None
