"""The Kubernetes manifests: valid, complete, confined, and in step with the code."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from contract.settings import load
from scraper.fetch import DRAIN_SECONDS
from scraper.parse import STOP_SECONDS
from tests.deploy.files import BASE, COMPONENTS, EXAMPLE, STAGES, named, objects, of_kind
from tests.deploy.test_compose_file import FOLD_SECONDS
from tools.compose.images import our_image

EXAMPLE_OBJECTS, BASE_OBJECTS = objects(EXAMPLE), objects(BASE)
SECRET = dict(line.split("=", 1) for line in (EXAMPLE / "secret.env.example").read_text("utf-8").splitlines())
DEPLOYMENTS = of_kind(EXAMPLE_OBJECTS, "Deployment")
PODS = {name: each["spec"]["template"] for name, each in of_kind(EXAMPLE_OBJECTS, "Deployment", "StatefulSet").items()}
#: Kinds that Kubernetes itself does not know; tests/deploy/test_scaling.py looks at them.
FOREIGN = ("ScaledObject", "TriggerAuthentication")


def container(name: str) -> dict[str, Any]:
    """The one container of a pod."""
    [one] = PODS[name]["spec"]["containers"]
    return one


def environment(name: str, settings: dict[str, str]) -> dict[str, str]:
    """What a container is given, `$(NAME)` filled in as the kubelet does it."""
    said = container(name)
    found = dict(settings) if said.get("envFrom") == [{"configMapRef": {"name": "penstock"}}] else {}
    for each in said["env"]:
        source = each.get("valueFrom", {})
        value = each.get("value") or SECRET[source["secretKeyRef"]["key"]]
        found[each["name"]] = re.sub(r"\$\((\w+)\)", lambda name: found[name[1]], value)
    return found


@pytest.mark.parametrize("folder", [BASE, EXAMPLE, *sorted(COMPONENTS.iterdir())], ids=lambda path: path.name)
def test_every_file_of_a_folder_is_named_by_its_kustomization(folder: Any) -> None:
    said = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    patches = {patch["path"] for patch in said.get("patches", ()) if "path" in patch}

    assert {name for name in said.get("resources", ()) if not name.startswith("..")} | patches == files


@pytest.mark.parametrize("each", EXAMPLE_OBJECTS + BASE_OBJECTS, ids=named)
def test_every_object_is_as_kubernetes_describes_it(each: dict[str, Any]) -> None:
    if each["kind"] not in FOREIGN:
        kubernetes_validate.validate(each, desired_version="1.37", strict=True)


def test_every_kind_of_container_has_a_deployment_that_runs_its_command() -> None:
    assert {name: container(name)["args"] for name in DEPLOYMENTS} == {name: [word] for name, word in STAGES.items()}


def test_two_schedulers_run() -> None:
    assert DEPLOYMENTS["scheduler"]["spec"]["replicas"] == 2


@pytest.mark.parametrize("name", STAGES)
def test_a_containers_environment_is_made_of_settings_that_exist(name: str) -> None:
    settings = of_kind(EXAMPLE_OBJECTS, "ConfigMap")["penstock"]["data"]
    found = load(environ={**our_image().environment, **environment(name, settings)})

    assert found.redis_url == f"redis://:{SECRET['redis-password']}@redis.penstock.svc.cluster.local:6379/0"
    assert (found.metrics_host, found.metrics_port) == ("0.0.0.0", 9100)
    assert bool(found.database_url) == (name in ("record", "api"))
    assert bool(found.api_token) == (name == "api")


@pytest.mark.parametrize("name", PODS)
def test_a_pod_can_do_no_more_than_it_must(name: str) -> None:
    pod, one = PODS[name]["spec"], container(name)

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= set(one["resources"]["requests"])
    assert "memory" in one["resources"]["limits"]


@pytest.mark.parametrize("name", STAGES)
def test_our_pods_run_as_the_images_user(name: str) -> None:
    said = PODS[name]["spec"]["securityContext"]

    assert f"{said['runAsUser']}:{said['runAsGroup']}" == our_image().user


@pytest.mark.parametrize("name", STAGES)
def test_a_pod_is_asked_whether_it_is_well_at_a_port_that_it_has(name: str) -> None:
    one = container(name)
    ports = {port["name"] for port in one["ports"]}
    paths = [one[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]

    assert {one[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")} <= ports
    assert paths == ["/healthz", "/healthz", "/readyz" if name == "api" else "/healthz"]


@pytest.mark.parametrize("name", STAGES)
def test_a_pod_has_as_long_to_stop_as_draining_takes(name: str) -> None:
    needed = {"worker": DRAIN_SECONDS + FOLD_SECONDS, "parse": STOP_SECONDS + FOLD_SECONDS}.get(name, FOLD_SECONDS)
    pause = container(name).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)

    # 30 s are Kubernetes' default.
    assert PODS[name]["spec"].get("terminationGracePeriodSeconds", 30) - pause >= needed


@pytest.mark.parametrize("name", PODS)
def test_a_volume_that_is_mounted_is_there(name: str) -> None:
    claims = of_kind(EXAMPLE_OBJECTS, "StatefulSet").get(name, {}).get("spec", {}).get("volumeClaimTemplates", ())
    volumes = {each["name"] for each in PODS[name]["spec"]["volumes"]}
    volumes |= {each["metadata"]["name"] for each in claims}

    assert {each["name"] for each in container(name)["volumeMounts"]} == volumes


def test_every_selector_finds_pods() -> None:
    labels = [pod["metadata"]["labels"] for pod in PODS.values()]
    selectors = [each["spec"]["selector"] for each in of_kind(EXAMPLE_OBJECTS, "Service").values()]
    selectors += [
        each["spec"]["selector"]["matchLabels"]
        for each in EXAMPLE_OBJECTS
        if each["kind"] in ("Deployment", "StatefulSet", "PodDisruptionBudget")
    ]

    for selector in selectors:
        assert any(selector.items() <= each.items() for each in labels), selector


def test_every_stage_has_a_budget_for_disruptions() -> None:
    assert set(of_kind(BASE_OBJECTS, "PodDisruptionBudget")) == set(STAGES)


def test_no_secret_is_in_the_base_and_the_one_it_asks_for_is_made_by_the_example() -> None:
    asked = set(re.findall(r"secretKeyRef: \{name: penstock, key: ([\w-]+)", "".join(map(str, _texts()))))

    assert not of_kind(BASE_OBJECTS, "Secret")
    assert asked == set(SECRET)
    assert all("change-me" in value for value in SECRET.values() if value)


def _texts() -> list[str]:
    return [path.read_text("utf-8") for path in sorted(BASE.glob("*.yaml"))]


def test_the_archive_is_written_by_one_pod_at_a_time() -> None:
    spec = DEPLOYMENTS["record"]["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
