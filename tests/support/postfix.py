"""A real Postfix of one's own, which delivers into Maildirs."""

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.lacking import lacking
from tests.support.smtp import awaited, free_port

#: Whoever writes to GONE gets a 550 at RCPT, to FULL a 450.
DOMAIN, GONE, FULL = "mail.test", "gone@mail.test", "full@mail.test"
_SBIN = "/usr/sbin:/usr/local/sbin"
_SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = {commands}
daemon_directory = {daemons}
mail_owner = {owner}
setgid_group = {group}
default_privs = nobody
myhostname = mx.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = static:all/
virtual_mailbox_base = {home}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = inline:{{ {{ {gone} = error:5.1.1 mailbox does not exist }}, {{ {full} = retry:4.2.2 mailbox full }} }}
message_size_limit = 10240000
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
"""


@dataclass(frozen=True)
class Postfix:
    """Where it listens, and the Maildir of everybody."""

    port: int
    maildir: Path
    log: Path

    def collected(self, count: int, *, within: float = 20.0) -> list[bytes]:
        """Take out what was delivered, once it is so many messages, and return it as it lay there."""
        until = time.monotonic() + within
        while True:
            found = list(self.maildir.glob("new/*"))
            if len(found) >= count:
                messages = [path.read_bytes() for path in found]
                for path in found:
                    path.unlink()
                return messages
            if time.monotonic() > until:
                raise AssertionError(f"{len(found)} of {count} delivered:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)


@contextmanager
def postfix() -> Iterator[Postfix]:
    """Run a Postfix on a free port of the loopback, in a folder that is gone afterwards; it takes seconds."""
    program = shutil.which("postfix", path=_SBIN)
    if program is None:
        lacking("Postfix")
    if os.geteuid() != 0:
        lacking("a Postfix of the test's own")
    home = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))  # others must be able to walk there
    try:
        running = _configured(home, port=free_port())
        command = [program, "-c", str(home / "etc")]
        _run(*command, "start")
        try:
            awaited(running.port)
            yield running
        finally:
            _run(*command, "abort")
            _await_end(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _configured(home: Path, *, port: int) -> Postfix:
    home.chmod(0o755)
    for folder in ("etc", "queue", "data", "mail"):
        (home / folder).mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(home / "mail", nobody.pw_uid, nobody.pw_gid)
    os.chown(home / "data", pwd.getpwnam("postfix").pw_uid, -1)
    (home / "etc" / "master.cf").write_text(_SERVICES.format(port=port))
    words = {
        "home": home,
        "commands": _default("command_directory"),
        "daemons": _default("daemon_directory"),
        "owner": "postfix",
        "group": grp.getgrnam("postdrop").gr_name,
        "domain": DOMAIN,
        "uid": nobody.pw_uid,
        "gid": nobody.pw_gid,
        "gone": GONE,
        "full": FULL,
    }
    (home / "etc" / "main.cf").write_text(_MAIN.format(**words))
    return Postfix(port, home / "mail" / "all", home / "maillog")


def _default(setting: str) -> str:
    command = [shutil.which("postconf", path=_SBIN) or "postconf", "-dh", setting]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode and "start" in command:
        raise RuntimeError(f"Postfix does not start: {done.stdout}{done.stderr}")


def _await_end(home: Path) -> None:
    """Wait until its master is gone, which otherwise would write into a folder that is being removed."""
    with suppress(OSError, ValueError):
        master = int((home / "queue" / "pid" / "master.pid").read_text())
        for _ in range(200):
            os.kill(master, 0)
            time.sleep(0.02)
