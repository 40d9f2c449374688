"""Sort keys made in Python, so that order does not depend on a server's collation."""

import unicodedata


def sort_key(text: str) -> str:
    """Make a key that sorts as people expect in any database: case and marks don't count."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join([char for char in decomposed if char.isascii() or not unicodedata.combining(char)])
