"""`python -m bench.child ITEM SCALE ANSWER`: one item's measurement in a process of its own, started by `bench`."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from bench.goals import ItemResult, Scale


def main(item: str, scale: str, answer: str) -> int:
    given = json.loads(scale)
    peers = given.pop("peers")
    wanted = Scale(**given, peers=None if peers is None else frozenset(peers))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thrive_sync.settings")
    import django

    django.setup()
    result: ItemResult = importlib.import_module(f"bench.{item}").measure(wanted)
    Path(answer).write_text(json.dumps(result.as_json()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
