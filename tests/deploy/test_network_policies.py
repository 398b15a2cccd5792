"""Who may reach whom in Kubernetes, worked out from the policies as a cluster does it."""

import ipaddress
from typing import Any

import pytest

from tests.deploy.files import BASE, EXAMPLE, STAGES, objects, of_kind

POLICIES = {folder: of_kind(objects(folder), "NetworkPolicy") for folder in (BASE, EXAMPLE)}
PRIVATE = (
    *("10.1.2.3", "172.20.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "127.0.0.1", "224.0.0.1"),
    *("fd00::1", "fe80::1", "::1", "2002:7f00:1::", "64:ff9b::7f00:1", "fd00:ec2::254"),
)
PUBLIC = ("93.184.215.14", "2606:4700::1111")


def allowed(stage: str, address: str, port: int, *, folder: Any = BASE) -> bool:
    """Whether a pod of a stage may open a TCP connection to an address outside the cluster."""
    return _allowed(POLICIES[folder], stage, address, port)


def allowed_by(found: list[dict[str, Any]], stage: str, address: str, port: int) -> bool:
    """The same among these objects."""
    return _allowed(of_kind(found, "NetworkPolicy"), stage, address, port)


def _allowed(all_policies: dict[str, dict[str, Any]], stage: str, address: str, port: int) -> bool:
    labels = {"app.kubernetes.io/name": "penstock", "app.kubernetes.io/component": stage}
    policies = [each["spec"] for each in all_policies.values()]
    chosen = [each for each in policies if "Egress" in each["policyTypes"] and _matches(each["podSelector"], labels)]
    assert chosen, "a pod that no policy chooses may do anything"
    rules = [rule for each in chosen for rule in each.get("egress", ())]
    return any(
        _holds(peer.get("ipBlock"), address) and any(_has(each, port) for each in rule["ports"])
        for rule in rules
        for peer in rule["to"]
    )


def _matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    fits = selector.get("matchLabels", {}).items() <= labels.items()
    return fits and all(labels[each["key"]] in each["values"] for each in selector.get("matchExpressions", ()))


def _holds(block: dict[str, Any] | None, address: str) -> bool:
    if block is None:
        return False
    one = ipaddress.ip_address(address)
    return one in ipaddress.ip_network(block["cidr"]) and not any(
        one in ipaddress.ip_network(each) for each in block.get("except", ())
    )


def _has(said: dict[str, Any], port: int) -> bool:
    return said["protocol"] == "TCP" and said["port"] <= port <= said.get("endPort", said["port"])


@pytest.mark.parametrize("address", PUBLIC)
def test_workers_reach_sites_on_any_port_and_recorders_webhooks(address: str) -> None:
    assert allowed("worker", address, 80)
    assert allowed("worker", address, 8443)
    assert allowed("record", address, 443)


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("stage", STAGES)
def test_nobody_reaches_a_private_address_but_for_redis_and_sql(stage: str, address: str) -> None:
    assert not allowed(stage, address, 80)
    assert allowed(stage, address, 5432) == (stage in ("record", "api"))


@pytest.mark.parametrize("stage", ["scheduler", "parse", "api"])
def test_who_has_no_business_outside_does_not_get_there(stage: str) -> None:
    assert not any(allowed(stage, address, 443) for address in PUBLIC)


@pytest.mark.parametrize("stage", STAGES)
def test_in_the_example_redis_and_sql_are_pods_and_no_address(stage: str) -> None:
    assert not allowed(stage, "10.1.2.3", 6379, folder=EXAMPLE)
    assert not allowed(stage, "10.1.2.3", 5432, folder=EXAMPLE)


def test_what_comes_in_is_closed_by_default() -> None:
    nobody = POLICIES[BASE]["nobody"]["spec"]

    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
