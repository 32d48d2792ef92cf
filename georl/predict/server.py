"""Ask an OpenAI-compatible server about the photos of a run: a row's answer, or why it has none."""

from __future__ import annotations

from PIL import Image

from geodata.printable import tell
from georl.config import Config, ConfigError
from georl.data import Turn, with_image
from georl.endpoints import Endpoint, EndpointError, EndpointRefusalError, Pace, picture


class Server:
    """The endpoint of a run.

    Parameters
    ----------
    config
        ``predict.url`` and the settings beside it.
    """

    def __init__(self, config: Config) -> None:
        self._options = options = config.predict
        self._endpoint = Endpoint(
            str(options.url), config.model.name, options.key_variable, options.retries,
            options.timeout_s,
        )  # fmt: skip
        self._pace = Pace(options.requests_per_second)

    def told(self) -> str:
        """Return where photos go, in words."""
        return f"photos are sent to {self._endpoint.told()}"

    def ask(self, name: str, chat: list[Turn], image: Image.Image) -> str | None:
        """Return what the server answers about one photo, None where there is no answer.

        Raises
        ------
        ConfigError
            Where the server refuses every photo: no key, no such model; and for a redirect or
            another refusal before it has given any answer.
        """
        try:
            return self._endpoint.chat(
                with_image(chat, picture(image)),
                max_tokens=self._options.max_tokens,
                temperature=self._options.temperature,
                pace=self._pace,
            ).text
        except EndpointRefusalError as error:
            msg = f"{self._options.url} refused row {name!r}: {error}"
            raise ConfigError(msg) from error
        except EndpointError as error:
            tries = f"{error.tries} {'try' if error.tries == 1 else 'tries'}"
            tell(f"row {name!r} failed after {tries}: {error.problem}")
            return None
