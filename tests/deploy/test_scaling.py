"""What KEDA is told: keys that it documents, streams and groups that exist, and numbers that can work."""

from typing import Any

import pytest

from contract.keys import Keys
from contract.settings import Settings, load
from contract.topology import FETCH, PARSE
from scheduler.dispatch import JOBS_PER_REQUEST
from tests.deploy.files import BASE, objects, of_kind

OBJECTS = objects(BASE)
SCALED = of_kind(OBJECTS, "ScaledObject")
#: Source: keda.sh, "Redis Streams" and "ScaledObject specification".
TRIGGER_KEYS = {
    *("address", "host", "port", "addressFromEnv", "hostFromEnv", "portFromEnv", "stream", "consumerGroup"),
    *("usernameFromEnv", "passwordFromEnv", "databaseIndex", "enableTLS", "unsafeSsl"),
    *("pendingEntriesCount", "streamLength", "lagCount", "activationLagCount"),
}
SPEC_KEYS = {
    *("scaleTargetRef", "pollingInterval", "cooldownPeriod", "initialCooldownPeriod", "idleReplicaCount"),
    *("minReplicaCount", "maxReplicaCount", "fallback", "advanced", "triggers"),
}


def trigger(name: str) -> dict[str, Any]:
    """The one trigger of a ScaledObject."""
    [one] = SCALED[name]["spec"]["triggers"]
    return one


def settings() -> Settings:
    """The settings of the pods, as far as the ConfigMap says them."""
    return load(environ=of_kind(OBJECTS, "ConfigMap")["penstock"]["data"])


def test_workers_and_parsers_are_scaled_and_no_count_of_ours_is_in_the_way() -> None:
    deployments = of_kind(OBJECTS, "Deployment")

    assert set(SCALED) == {"worker", "parse"}
    for name, scaled in SCALED.items():
        assert scaled["spec"]["scaleTargetRef"] == {"name": name}
        assert "replicas" not in deployments[name]["spec"]


@pytest.mark.parametrize("name", ["worker", "parse"])
def test_all_keys_are_documented_and_all_values_of_a_trigger_are_text(name: str) -> None:
    one = trigger(name)

    assert set(SCALED[name]["spec"]) <= SPEC_KEYS
    assert set(SCALED[name]["spec"]["fallback"]) == {"failureThreshold", "replicas"}
    assert one["type"] == "redis-streams"
    assert set(one["metadata"]) <= TRIGGER_KEYS
    assert [value for value in one["metadata"].values() if not isinstance(value, str)] == []


@pytest.mark.parametrize(("name", "stage"), [("worker", FETCH), ("parse", PARSE)])
def test_the_stream_and_the_group_are_those_of_the_map(name: str, stage: Any) -> None:
    said, [stream] = trigger(name)["metadata"], stage.takes

    assert said["stream"] == Keys(settings().prefix).stream(stream)
    assert said["consumerGroup"] == stage.name


@pytest.mark.parametrize("name", ["worker", "parse"])
def test_keda_asks_the_redis_of_the_pods_with_their_password(name: str) -> None:
    [container] = of_kind(OBJECTS, "Deployment")[name]["spec"]["template"]["spec"]["containers"]
    [password] = of_kind(OBJECTS, "TriggerAuthentication")["redis"]["spec"]["secretTargetRef"]
    [own] = [each["valueFrom"]["secretKeyRef"] for each in container["env"] if each["name"] == "REDIS_PASSWORD"]

    assert trigger(name)["authenticationRef"] == {"name": "redis"}
    assert password == {"parameter": "password", **own}
    assert trigger(name)["metadata"]["addressFromEnv"] in of_kind(OBJECTS, "ConfigMap")["penstock"]["data"]
    assert container["envFrom"] == [{"configMapRef": {"name": "penstock"}}]


def test_one_of_each_stays_because_an_unknown_lag_reads_as_none() -> None:
    assert all(scaled["spec"]["minReplicaCount"] >= 1 for scaled in SCALED.values())


def test_what_lags_behind_a_busy_worker_is_enough_to_ask_for_another() -> None:
    # Of the jobs that dispatch issues for a request, one is at work; the others are what lags.
    lags = settings().workers * settings().concurrency * (JOBS_PER_REQUEST - 1)

    # The autoscaler lets a tenth pass.
    assert lags > 1.1 * int(trigger("worker")["metadata"]["lagCount"])


def test_the_last_parser_is_asked_for_before_dispatch_holds_back() -> None:
    most = SCALED["parse"]["spec"]["maxReplicaCount"] * int(trigger("parse")["metadata"]["lagCount"])

    assert most < settings().high_water_pages
