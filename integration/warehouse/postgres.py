"""A PostgreSQL server of its own: Debian's programs, started by hand in a folder that goes with it."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

USER = "warehouse"


def programs() -> Path | None:
    """The folder of Debian's PostgreSQL; installed if it is not there, root runs this, and a mirror answers. None where it cannot be had."""
    if found := sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        return found[-1].parent
    if os.geteuid() == 0 and shutil.which("apt-get"):
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "postgresql"]):
            subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if found := sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
            return found[-1].parent
    return None


class Server:
    """A server with an empty database called as its user, on a free port of this machine. A context manager."""

    def __init__(self, bin_: Path):
        self.bin = bin_
        self.folder = Path(tempfile.mkdtemp(prefix="warehouse-pg-"))
        self.port = 0
        self.as_other: dict = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            other = next(u for u in ("postgres", "nobody") if u in {p.pw_name for p in pwd.getpwall()})
            shutil.chown(self.folder, other)
            self.as_other = {"user": other, "group": pwd.getpwnam(other).pw_gid, "extra_groups": []}

    def __enter__(self) -> "Server":
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        for tries in range(10):  # another process may take the port meanwhile
            self.port = random.randint(15_000, 30_000)  # below those that the system gives out
            options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c timezone=UTC"
            try:
                self._run("pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", options, "start")
                break
            except subprocess.CalledProcessError:
                if tries == 9:
                    raise
        self._run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", USER, USER)
        return self

    def __exit__(self, *_):
        try:
            self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *args):
        subprocess.run(
            [str(self.bin / program), *map(str, args)], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            **self.as_other,
        )  # fmt: skip
