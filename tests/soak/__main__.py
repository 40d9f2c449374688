"""What `make soak` runs: the tests that take minutes, one after another."""

import subprocess
import sys

if __name__ == "__main__":
    command = [sys.executable, "-m", "pytest", "-q", "-m", "soak", *sys.argv[1:]]
    sys.exit(subprocess.run(command, check=False).returncode)
