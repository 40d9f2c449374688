"""Static files with the hash of their content in their names, as WhiteNoise makes them."""

from __future__ import annotations

from functools import lru_cache

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Looks each address up once: a page has a dozen of them, and while the site runs they stay."""

    @lru_cache(maxsize=256)  # noqa: B019 - there is one storage, for as long as the process lives
    def url(self, name: str | None, force: bool = False) -> str:
        found: str = super().url(name, force)
        return found
