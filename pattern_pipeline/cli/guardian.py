"""The process between `up` and each of its servers: when `up` ends, in whatever way, the server ends too.

`up` holds the other end of standard input, which the kernel closes even after kill -9. What is started, and when it has
to end, is decided there.
"""

import os
import signal
import subprocess
import sys
from threading import Thread

GRACE_SECONDS = 15  # Dagster's daemon finishes its tick before it goes


def guard(command: list[str]) -> int:
    """Run a command until it ends, or standard input does, or a signal asks for it; returns its exit code.

    Must be the leader of a process group: what the command leaves behind in it is killed with it.
    """
    # A background job of a shell inherits an ignored SIGINT, and Dagster would then ignore SIGTERM as well; with a
    # handler here, the command starts with the default.
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda *_: child.terminate())
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    Thread(target=_end_with_input, args=[child], daemon=True).start()
    return child.wait()


def _end_with_input(child: "subprocess.Popen[bytes]") -> None:
    sys.stdin.buffer.read()
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
