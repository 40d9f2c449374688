#!/usr/bin/env python
"""Django's command line."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from thrive_sync.lib import env
from thrive_sync.stack.environment import before_demo


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thrive_sync.settings")
    if sys.argv[1:2] == ["demo"]:
        env.read_file(Path(__file__).resolve().with_name(".env"))
        before_demo()  # the settings ask for servers that this one command has yet to start
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a setting: the sentence says all, a traceback would bury it
        sys.exit(str(error))


if __name__ == "__main__":
    main()
