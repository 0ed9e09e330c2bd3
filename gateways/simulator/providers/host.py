"""All doubles behind one port: ``http://127.0.0.1:<port>/<slug>/…``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from gateways.simulator.http_server import Call, HttpServer, Reply
from gateways.simulator.providers.base import Double

if TYPE_CHECKING:
    from gateways.simulator.centre import Centre

_PACKAGE = "gateways.simulator.providers"
_OURS = {"base", "host"}


def list_doubles() -> list[str]:
    """Every double there is: a file in this folder is enough, no list to edit."""
    package = import_module(_PACKAGE)
    return sorted(module.name for module in iter_modules(package.__path__) if module.name not in _OURS)


def get_double_class(slug: str) -> type[Double]:
    """The double in ``providers/<slug>.py``. Raises LookupError."""
    if slug not in list_doubles():
        raise LookupError(f"no double: {slug}")
    module = import_module(f"{_PACKAGE}.{slug}")
    for candidate in vars(module).values():
        if isinstance(candidate, type) and issubclass(candidate, Double) and candidate.slug == slug:
            return candidate
    raise LookupError(f"no double: {slug}")


class ProviderHost:
    """The doubles that somebody has called so far, and the port they are called on."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._doubles: dict[str, Double] = {}
        self._server = HttpServer(self._answer)
        centre.providers = self

    async def start(self, port: int) -> int:
        return await self._server.start(port)

    async def stop(self) -> None:
        await self._server.stop()
        for double in self._doubles.values():
            await double.stop()

    def get(self, slug: str) -> Double:
        """Raises LookupError."""
        if slug not in self._doubles:
            self._doubles[slug] = get_double_class(slug)(self._centre)
        return self._doubles[slug]

    async def _answer(self, call: Call) -> Reply:
        _, slug, rest = f"{call.path}//".split("/", 2)
        try:
            double = self.get(slug)
        except LookupError:
            return Reply.text("no such provider", 404)
        path = "/" + rest.strip("/")
        return await double.reply(Call(call.method, path, call.query, call.headers, call.body))
