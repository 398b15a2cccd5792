"""What process number 1 of a container does before it is the service: make a root of its own, and leave its rights.

Gives a shell script. The root is a small tmpfs into which this machine's programs are bound, read-only; /proc, /dev and
/etc are its own; volumes and tmpfs are where the file wants them.
"""

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.compose.file import Service
from tools.compose.images import ROOT, STAND_INS, USERS, Image

#: Folders of a container that are its own, whatever this machine has there.
_OVERLAID = tuple(Path(name) for name in ("/tmp", "/proc", "/dev", "/data"))
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


class OutOfSight(Exception):
    """Raised where Python or this checkout lies in a folder that containers have of their own."""


def entry(
    service: Service, image: Image, *, host: str, folder: Path, hosts: Path, volumes: Mapping[str, Path], tools: Path
) -> str:
    """The script of a container named `host`; `folder` is an empty one for its root."""
    lines = ["set -e", "read go", f"hostname {host}", f"R={folder}"]
    lines.append("mount -t tmpfs -o mode=755,size=16m root $R")
    lines += [_bound(path) for path in programs()]
    lines.append(_bound(tools, STAND_INS))
    lines += [_SYSTEM.format(shm=service.shm_bytes), *(_device(name) for name in _DEVICES), *_etc(hosts)]
    lines.append(f"mkdir -p $R/opt && ln -s {sys.prefix} $R/opt/penstock")
    lines += [_bound(volumes[each.source], each.target, read_only=each.read_only) for each in service.mounts]
    lines += [_tmpfs(text) for text in service.tmpfs]
    lines.append(f"mkdir -p -m 1777 $R/tmp; mkdir -p $R{image.folder}")
    if service.read_only:
        lines.append("mount -o remount,ro $R")
    if service.open_files:
        lines.append(f'ulimit -n {service.open_files} 2>/dev/null || ulimit -n "$(ulimit -H -n)"')
    command = shlex.join([*confined(service, image), *image.entrypoint, *service.command])
    lines.append(f"exec {shutil.which('chroot', path='/usr/sbin:/sbin:/usr/bin')} $R {command} < /dev/null")
    return "\n".join(lines)


def confined(service: Service, image: Image) -> list[str]:
    """What to put before a command, so that it runs in the image's folder, as the service's user, with its rights."""
    user, group = user_of(service, image)
    words = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    if service.drops_capabilities:
        words += ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
    if service.no_new_privileges:
        words.append("--no-new-privs")
    return [*words, "sh", "-c", f'cd {image.folder}; exec "$@"', "sh"]


def user_of(service: Service, image: Image) -> tuple[int, int]:
    """The numbers of the user and the group that a service runs as."""
    user, _, group = (service.user or image.user).partition(":")
    number = USERS[user] if user in USERS else int(user)
    return number, int(group or number)


def programs() -> Sequence[Path]:
    """The folders of this machine that a container sees: the system's programs, Python, and this checkout.

    Raises `OutOfSight` where a folder of the container's own would lie over one of the last two.
    """
    system = [Path(name) for name in ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ssl", "/etc/ld.so.cache")]
    own = [Path(sys.base_prefix), Path(sys.prefix), ROOT]
    look_for(own)
    around = (Path("/usr"), *own)
    return [path for path in dict.fromkeys((*system, *own)) if path.exists() and not _inside_another(path, around)]


def look_for(folders: Sequence[Path]) -> None:
    """Raises `OutOfSight` for a folder that a container could not see."""
    for path in folders:
        for place in _OVERLAID:
            if path.is_relative_to(place):
                raise OutOfSight(f"each container has its own {place}, which hides {path}: move that elsewhere")


def _inside_another(path: Path, others: Sequence[Path]) -> bool:
    return any(path != other and path.is_relative_to(other) for other in others)


def _bound(source: Path, target: str = "", *, read_only: bool = True) -> str:
    place = f'"$R{target or source}"'
    if source.is_symlink():
        return f"cp -P {source} {place}"
    make = f"mkdir -p {place}" if source.is_dir() else f"mkdir -p $(dirname {place}); touch {place}"
    bind = f"{make}; mount --bind {source} {place}"
    return f"{bind}; mount -o remount,bind,ro {place}" if read_only else bind


def _device(name: str) -> str:
    return f"touch $R/dev/{name}; mount --bind /dev/{name} $R/dev/{name}"


def _tmpfs(text: str) -> str:
    target, _, options = text.partition(":")
    return f"mkdir -p $R{target}; mount -t tmpfs -o {options or 'mode=1777'},nosuid,nodev,noexec tmpfs $R{target}"


def _etc(hosts: Path) -> list[str]:
    users = "".join(f"{name}:x:{number}:{number}::/:/bin/sh\\n" for name, number in USERS.items() if name)
    return [
        f"printf '{users}penstock:x:10001:10001::/data:/bin/sh\\n' > $R/etc/passwd",
        "printf 'hosts: files dns\\npasswd: files\\n' > $R/etc/nsswitch.conf; : > $R/etc/resolv.conf",
        f"touch $R/etc/hosts; mount --bind {hosts} $R/etc/hosts",
    ]


_SYSTEM = """mkdir -p $R/proc $R/dev $R/etc
mount -t proc proc $R/proc
mount -t tmpfs -o mode=755,size=64k dev $R/dev
mkdir $R/dev/shm
mount -t tmpfs -o mode=1777,size={shm} shm $R/dev/shm
ln -s /proc/self/fd $R/dev/fd"""
