"""A supervisor with two servers that stays until it is stopped: what the tests of this folder stop and kill."""

import sys
import time
from pathlib import Path

from thrive_sync.stack import servers
from thrive_sync.stack.supervisor import AlreadyRunning, ChildFailed, Stopped, Supervisor


def main(folder: str) -> int:
    try:
        with Supervisor(Path(folder), say=print) as supervisor:
            addresses = servers.start(
                supervisor, database="kept", database_url=None, redis_url=None, is_throw_away=True
            )
            print(addresses.database_url, addresses.redis_url, flush=True)
            while True:
                supervisor.check()
                time.sleep(0.05)
    except Stopped:
        return 0
    except AlreadyRunning:
        print("already running", flush=True)
    except ChildFailed as error:
        print(error, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
