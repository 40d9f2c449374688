"""Run the stand-in by itself: python -m memberSuite.standin --port 8081."""

import argparse

from memberSuite.standin.server import add_arguments, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m memberSuite.standin", description=__doc__)
    add_arguments(parser)
    given = parser.parse_args()
    serve(given.port, given.people, given.seed, given.latency_ms, given.host)


if __name__ == "__main__":
    main()
