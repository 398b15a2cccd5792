"""All services of a docker-compose.yml, as `docker compose` runs them: up, scaled, stopped, killed, asked for health.

Owns a folder of its own (logs, volumes, roots) and everything that it starts. A service begins when what it depends on
is well. Each of its containers finds the others by the names of their services, in the networks that they share.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Self

from tools.compose.file import Mount, Project, Service
from tools.compose.images import Image, image_of, make_stand_ins
from tools.compose.outside import loopback_travels, publish, way_to
from tools.compose.rooms import Ended, Room
from tools.compose.script import confined, entry, user_of
from tools.compose.wires import Switch

#: How often a service that is starting is asked for its health; Docker's own `start_interval` is coarser.
_LOOK_SECONDS = 0.2


class NotWell(Exception):
    """Raised for a container that ended, or did not become well in time; says its last words."""


class Runner:
    """A project that runs; a context manager that ends all of it."""

    def __init__(self, project: Project, *, publish: Mapping[int, int] | None = None) -> None:
        """`publish` gives other ports of the host (0: any) for those that the file publishes."""
        self.project, self._publish = project, dict(publish or {})
        self.folder = Path(tempfile.mkdtemp(prefix="pscompose"))
        self.rooms: dict[str, list[Room]] = {name: [] for name in project.services}
        #: Where the host finds a published port of a container.
        self.published: dict[int, tuple[str, int]] = {}
        #: Processes of the outside world, by name.
        self.strangers: dict[str, Room] = {}
        self._forwarders: list[subprocess.Popen[bytes]] = []
        self._hosts, self._numbers = count(10), {name: count(1) for name in project.services}
        self.switch = Switch(project.networks)
        make_stand_ins(self.folder / "stand-ins")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for forwarder in self._forwarders:
            forwarder.kill()
            forwarder.wait()
        for room in [*(room for _, room in self.all_rooms()), *self.strangers.values()]:
            room.kill()
        self.switch.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- services

    def up(self, scale: Mapping[str, int] | None = None) -> None:
        """Start every service, as often as the file or `scale` says, each when those before it are well."""
        wanted = {name: service.replicas for name, service in self.project.services.items()} | dict(scale or {})
        for name in in_order(self.project):
            self.wait_until_well(self.project.services[name].after)
            self.scale(name, wanted[name])
        self.wait_until_well(self.project.services)
        for service in self.project.services.values():
            for port in service.ports:
                room, free = self.rooms[service.name][0], self._publish.get(port.published, port.published)
                forwarder, place = publish(room, port.target, host=port.host, port=free)
                self._forwarders.append(forwarder)
                self.published[port.published] = place

    def scale(self, name: str, wanted: int) -> list[Ended]:
        """Have so many containers of a service: more are started, the newest are stopped."""
        while len(self.rooms[name]) < wanted:
            self.rooms[name].append(self._start(self.project.services[name]))
        return [self.stop(name) for _ in range(len(self.rooms[name]) - wanted)]

    def stop(self, name: str, index: int = -1) -> Ended:
        """Stop a container with its stop signal and its grace."""
        return self.rooms[name].pop(index).stop(grace_seconds=self.project.services[name].grace_seconds)

    def down(self) -> dict[str, list[Ended]]:
        """Stop all, those first that others do not depend on; gives how each ended."""
        return {name: self.scale(name, 0) for name in reversed(in_order(self.project))}

    def is_well(self, service: Service, room: Room) -> bool:
        """Whether the file's own health check of a container passes."""
        words = [*confined(service, self._image(service)), *service.health.test]
        return room.run(words, seconds=service.health.timeout)

    def wait_until_well(self, names: Iterable[str]) -> None:
        """Wait for all containers of these services; raises `NotWell` for one that ended or takes too long."""
        for name in names:
            health = self.project.services[name].health
            until = time.monotonic() + health.start_period + health.interval * health.retries
            for room in self.rooms[name]:
                while not self.is_well(self.project.services[name], room):
                    if not room.is_running or time.monotonic() > until:
                        raise NotWell(f"{room}:\n{room.words()[-2000:]}")
                    time.sleep(_LOOK_SECONDS)

    # -- one container

    def _start(self, service: Service) -> Room:
        host, name = next(self._hosts), f"{service.name}-{next(self._numbers[service.name])}"
        room = self._room(service, name)
        room.addresses = {network: self.switch.address(network, host) for network in service.networks}
        self.switch.plug_in(room.pid, service.networks, host=host)
        if "outside" in service.networks:
            for stranger in self.strangers.values():
                way_to(stranger, room)
        self._name_all(room, service.name)
        room.begin()
        return room

    def _room(self, service: Service, name: str) -> Room:
        image, root, hosts = self._image(service), self.folder / f"{name}.root", self.folder / f"{name}.hosts"
        root.mkdir()
        hosts.touch()
        volumes = {mount.source: self._volume(mount, service, image) for mount in service.mounts}
        places = {"folder": root, "hosts": hosts, "volumes": volumes, "tools": self.folder / "stand-ins"}
        return Room(
            name,
            entry(service, image, host=name, **places),
            environment={"HOME": image.folder, **image.environment, **service.environment},
            log=self.folder / f"{name}.log",
            stop_signal=image.stop_signal,
        )

    def _name_all(self, room: Room, own: str) -> None:
        lines = ["127.0.0.1 localhost", f"{next(iter(room.addresses.values()))} {room.name} {own}"]
        for name, other in self.all_rooms():
            lines += [f"{other.addresses[network]} {name}" for network in room.addresses if network in other.addresses]
        (self.folder / f"{room.name}.hosts").write_text("\n".join(lines) + "\n")

    def all_rooms(self) -> Iterator[tuple[str, Room]]:
        """Every container that runs, with the name of its service."""
        return ((name, room) for name, rooms in self.rooms.items() for room in rooms)

    def _volume(self, mount: Mount, service: Service, image: Image) -> Path:
        if mount.source.startswith("/"):
            return Path(mount.source)
        folder = self.folder / "volumes" / mount.source
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o750)
            shutil.chown(folder, *user_of(service, image))  # a new volume is as the image's folder is
        return folder

    def _image(self, service: Service) -> Image:
        return image_of(service.image, ours=service.ours)

    def stranger(self, name: str, command: str) -> Room:
        """A process of the outside world, with this machine's files; containers find it at 127.1.0.0/16."""
        room = Room(
            name,
            f"read go; exec {command}",
            environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            log=self.folder / f"{name}.log",
        )
        host = next(self._hosts)
        room.addresses = {"outside": self.switch.address("outside", host)}
        self.switch.plug_in(room.pid, ["outside"], host=host)
        loopback_travels(room)
        self.strangers[name] = room
        room.begin()
        return room


def in_order(project: Project) -> list[str]:
    """The services' names, each behind those that it depends on."""
    order: list[str] = []

    def add(name: str) -> None:
        for before in project.services[name].after:
            add(before)
        if name not in order:
            order.append(name)

    for name in project.services:
        add(name)
    return order
