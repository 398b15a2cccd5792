"""What an overlay may add: an ACL user, TLS, Sentinel, a bucket, traces; each applied, and read as pods read it."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from contract.redis_url import RedisUrl, parse_redis_url
from contract.settings import Settings, load
from tests.deploy.files import BASE, COMPONENTS, ROOT, STAGES, merge, named, objects, of_kind
from tests.deploy.test_network_policies import allowed_by
from tests.deploy.test_scaling import TRIGGER_KEYS

NAMES = sorted(path.name for path in COMPONENTS.iterdir())
SENTINEL_KEYS = (TRIGGER_KEYS - {"addressFromEnv"}) | {"addressesFromEnv", "sentinelMasterFromEnv"}


def made(*components: str, **settings: str) -> list[dict[str, Any]]:
    """The base with these components, and an overlay's settings.yaml."""
    found = objects(BASE, *components)
    merge(of_kind(found, "ConfigMap")["penstock"], {"data": settings})
    return found


def told(found: list[dict[str, Any]], stage: str) -> Settings:
    """What a pod of a stage understands; each secret is its key and `0word`."""
    [container] = of_kind(found, "Deployment")[stage]["spec"]["template"]["spec"]["containers"]
    known = dict(of_kind(found, "ConfigMap")["penstock"]["data"])
    for each in container["env"]:
        value = each.get("value") or each["valueFrom"]["secretKeyRef"]["key"] + "0word"
        known[each["name"]] = re.sub(r"\$\((\w+)\)", lambda name: known[name[1]], value)
    return load(environ=known)


def redis_of(found: list[dict[str, Any]]) -> RedisUrl:
    """The Redis of the pods, which is the same for all."""
    [one] = {told(found, stage).redis_url for stage in STAGES}
    return parse_redis_url(one)


def triggers(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How KEDA is told to ask."""
    return [each for scaled in of_kind(found, "ScaledObject").values() for each in scaled["spec"]["triggers"]]


def test_a_user_of_the_acl_is_a_setting_for_pods_and_keda() -> None:
    found = made(REDIS_USER="penstock")

    assert (redis_of(found).username, redis_of(found).password) == ("penstock", "redis-password0word")
    assert {each["metadata"]["usernameFromEnv"] for each in triggers(found)} == {"REDIS_USER"}


def test_tls_is_for_pods_and_keda() -> None:
    found = made("redis-tls")

    assert redis_of(found).tls is not None
    assert {each["metadata"]["enableTLS"] for each in triggers(found)} == {"true"}
    assert redis_of(made()).tls is None


@pytest.mark.parametrize("scheme", ["sentinel", "sentinels"])
def test_sentinels_are_asked_by_pods_and_keda_and_reached(scheme: str) -> None:
    with_tls = ("redis-tls",) if scheme == "sentinels" else ()
    found = made("redis-sentinel", *with_tls, REDIS_SCHEME=scheme, REDIS_ADDRESS="one:26379,two:26379")
    place = redis_of(found)

    assert (place.master, place.hosts, place.tls is not None) == (
        "mymaster",
        (("one", 26379), ("two", 26379)),
        bool(with_tls),
    )
    for each in triggers(found):
        assert each["type"] == "redis-sentinel-streams"
        assert set(each["metadata"]) <= SENTINEL_KEYS
        assert (each["metadata"]["addressesFromEnv"], each["metadata"]["sentinelMasterFromEnv"]) == (
            "REDIS_ADDRESS",
            "REDIS_MASTER",
        )
    assert all(allowed_by(found, stage, "10.1.2.3", port) for stage in STAGES for port in (6379, 26379))


def test_with_a_bucket_recorders_roll_without_a_volume_and_are_given_its_keys() -> None:
    found = made("archive-in-bucket", PENSTOCK_ARCHIVE_URL="s3://bucket/prefix?region=eu-central-1")
    spec = of_kind(found, "Deployment")["record"]["spec"]
    [container] = spec["template"]["spec"]["containers"]

    assert told(found, "record").archive_url.startswith("s3://bucket/")
    assert {"secretRef": {"name": "penstock-archive"}} in container["envFrom"]
    assert spec["strategy"] == {"type": "RollingUpdate"}
    assert not of_kind(found, "PersistentVolumeClaim")
    assert [each for each in spec["template"]["spec"]["volumes"] if "persistentVolumeClaim" in each] == []


def test_traces_are_on_in_every_pod() -> None:
    assert all(told(made("traces"), stage).traces for stage in STAGES)


@pytest.mark.parametrize(
    ("name", "port", "stages"), [("archive-in-bucket", 9000, {"record"}), ("traces", 4318, STAGES)]
)
def test_what_a_component_speaks_to_inside_the_cluster_it_may_reach(name: str, port: int, stages: Any) -> None:
    [policy] = [each for each in of_kind(made(name), "NetworkPolicy").items() if each not in _policies().items()]
    [rule], chosen = policy[1]["spec"]["egress"], policy[1]["spec"]["podSelector"]["matchLabels"]

    assert rule["ports"] == [{"port": port, "protocol": "TCP"}]
    assert {stage for stage in STAGES if chosen.get("app.kubernetes.io/component", stage) == stage} == set(stages)


def _policies() -> dict[str, dict[str, Any]]:
    return of_kind(made(), "NetworkPolicy")


@pytest.mark.parametrize("name", NAMES)
def test_every_object_of_a_component_is_as_kubernetes_describes_it(name: str) -> None:
    for each in made(name):
        if each["kind"] not in ("ScaledObject", "TriggerAuthentication"):
            kubernetes_validate.validate(each, desired_version="1.37", strict=True)
    assert len({named(each) for each in made(name)}) == len(made(name))


def test_the_guide_names_every_component_and_no_other() -> None:
    said = (ROOT / "deploy" / "README.md").read_text("utf-8")
    [block] = re.findall(r"```yaml\n(components:.*?)```", said, re.DOTALL)

    assert sorted(path.rpartition("/")[2] for path in yaml.safe_load(block)["components"]) == NAMES
    for name in NAMES:
        assert yaml.safe_load((COMPONENTS / name / "kustomization.yaml").read_text())["kind"] == "Component"
