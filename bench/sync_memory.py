"""`python -m bench.sync_memory PEOPLE STEP...`: the product's sync in a process of its own, its rows made as it reads.

Prints the process's peak memory in MiB.
"""

from __future__ import annotations

import logging
import os
import sys


def main(people: int, steps: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thrive_sync.settings")
    import django

    django.setup()
    logging.disable(logging.INFO)
    from bench.peak import peak_mib
    from bench.sync_product import ProductSync

    product = ProductSync(people)
    for step in steps:
        product.step(step)
    print(peak_mib())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
