"""docker-compose.yml: valid, confined, closed to the outside, and in step with the code."""

import ipaddress
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from contract.settings import load
from scraper.fetch import DRAIN_SECONDS
from scraper.parse import STOP_SECONDS
from tests.deploy.files import COMPOSE, ROOT, SECRETS, STAGES, compose
from tools.compose.file import NotUnderstood, Service, read_project
from tools.compose.images import our_image

#: Celery needs this long to fold up its pool when its last ticket has ended, and some more on a busy machine.
FOLD_SECONDS = 5.0
SERVICES = tuple(compose().services.values())
OURS = tuple(service for service in SERVICES if service.ours)


def test_the_file_fulfils_the_compose_specification() -> None:
    judge = Path(sys.executable).parent / "check-jsonschema"

    done = subprocess.run([judge, "--builtin-schema", "vendor.compose-spec", COMPOSE], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


def test_every_kind_of_container_is_there_with_its_own_command() -> None:
    assert {service.name: service.command for service in OURS} == {name: (word,) for name, word in STAGES.items()}


def test_two_schedulers_run_by_default() -> None:
    assert {service.name: service.replicas for service in SERVICES if service.replicas != 1} == {"scheduler": 2}


@pytest.mark.parametrize("name", SECRETS)
def test_without_a_secret_nothing_starts(name: str) -> None:
    with pytest.raises(NotUnderstood, match=f"{name} is missing a value: set {name} in .env"):
        read_project(COMPOSE, {**SECRETS, name: ""})


def test_no_secret_is_written_into_the_file_or_its_example() -> None:
    for line in (ROOT / ".env.example").read_text("utf-8").splitlines():
        name, _, value = line.lstrip("#").partition("=")
        assert not value or not re.search("PASSWORD|TOKEN|SECRET", name), line
    assert re.findall(r"(?:PASSWORD|TOKEN|SECRET|AUTH): (?!\$\{)\S+", COMPOSE.read_text("utf-8")) == []


def test_the_example_of_variables_lists_those_that_the_file_asks_for() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE.read_text("utf-8")))
    listed = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.M))

    assert listed <= asked
    # These are for who changes what the file is, not for who runs it.
    assert asked - listed == {"PENSTOCK_IMAGE", "PENSTOCK_ALLOW_PRIVATE", "PENSTOCK_METRICS_HOST"}


@pytest.mark.parametrize("service", OURS, ids=lambda service: service.name)
def test_a_containers_environment_is_made_of_settings_that_exist(service: Service) -> None:
    settings = load(environ={**our_image().environment, **service.environment})

    assert settings.redis_url == "redis://:redis0word@redis:6379/0"
    assert settings.metrics_port == 9100
    assert not settings.allow_private


def test_only_those_that_need_sql_know_its_password() -> None:
    knowing = {service.name for service in SERVICES if "postgres0word" in "".join(service.environment.values())}

    assert knowing == {"record", "api", "postgres"}


def test_only_the_api_knows_the_token() -> None:
    assert {each.name for each in SERVICES if "token0word" in "".join(each.environment.values())} == {"api"}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_container_can_do_no_more_than_it_must(service: Service) -> None:
    assert service.read_only
    assert service.drops_capabilities
    assert service.no_new_privileges
    assert (service.user or our_image().user).partition(":")[0] not in ("", "0", "root")
    assert service.memory_bytes


@pytest.mark.parametrize("service", OURS, ids=lambda service: service.name)
def test_a_container_has_as_long_to_stop_as_draining_takes(service: Service) -> None:
    needed = {"worker": DRAIN_SECONDS + FOLD_SECONDS, "parse": STOP_SECONDS + FOLD_SECONDS}

    assert service.grace_seconds >= needed.get(service.name, FOLD_SECONDS)


def test_a_service_can_be_scaled_unless_it_publishes_a_port() -> None:
    text = yaml.safe_load(COMPOSE.read_text("utf-8"))

    assert not [name for name, said in text["services"].items() if "container_name" in said]
    assert [service.name for service in SERVICES if service.ports] == ["api"]


def test_the_host_publishes_the_api_alone_and_that_on_loopback() -> None:
    [port] = compose().services["api"].ports

    assert ipaddress.ip_address(port.host).is_loopback
    assert compose(API_PUBLISH="192.0.2.1:80").services["api"].ports[0].host == "192.0.2.1"


def test_only_who_fetches_posts_or_answers_is_on_a_network_with_a_way_out() -> None:
    project = compose()

    assert {name for name, internal in project.networks.items() if not internal} == {"outside"}
    assert {service.name for service in SERVICES if "outside" in service.networks} == {"worker", "record", "api"}


def test_who_uses_redis_or_sql_shares_its_network_and_waits_until_it_is_well() -> None:
    services = compose().services
    for service in OURS:
        for name in ("redis", "postgres"):
            uses = f"@{name}:" in " ".join(service.environment.values())
            assert uses == (name in service.after), (service.name, name)
            assert uses == bool(set(service.networks) & set(services[name].networks)), (service.name, name)


def test_redis_keeps_what_it_is_given_and_never_evicts() -> None:
    redis = compose().services["redis"]
    command = " ".join(redis.command)

    assert "--appendonly yes --appendfsync everysec" in command
    assert "--maxmemory-policy noeviction" in command
    assert "redis0word" not in command


def test_a_crawl_may_name_a_spider_by_a_path_that_api_and_parsers_share() -> None:
    services = compose().services

    assert services["api"].mounts == services["parse"].mounts
    [mount] = services["api"].mounts
    assert (mount.source, mount.target, mount.read_only) == (str(ROOT / "examples"), "/spiders", True)
