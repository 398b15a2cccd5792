"""The commands of docs/operations.md name containers, volumes and objects that there are."""

import re

from tests.deploy.files import BASE, COMPOSE, STAGES, objects
from tests.system.guide import blocks

BLOCKS = blocks()
DOCKER = "".join(text for title, text in BLOCKS.items() if "Docker Compose" in title)
KUBERNETES = BLOCKS["Upgrade: Kubernetes. KEDA would start workers and parsers again"]


def test_services_and_volumes_of_compose_are_called_what_the_file_calls_them() -> None:
    said = COMPOSE.read_text("utf-8")
    stopped = re.findall(r"compose stop (.*)", DOCKER)

    assert {name for line in stopped for name in line.split()} == STAGES.keys()
    assert set(re.findall(r"compose exec -T (\w+)", DOCKER)) == {"postgres"}
    assert re.search(r"^name: penstock$", said, re.MULTILINE)
    assert set(re.findall(r"'\{\{\.Mountpoint\}\}' (\w+)", DOCKER)) == {"penstock_archive"}
    assert re.search(r"^  archive: \{\}$", said, re.MULTILINE)
    assert 'volumes: ["archive:/data"]' in said


def test_what_is_scaled_on_kubernetes_is_there_and_every_stage_is() -> None:
    names = {kind: _names(kind) for kind in ("Deployment", "ScaledObject")}
    paused = set(re.search(r"annotate scaledobject ([\w ]+) autoscaling", KUBERNETES)[1].split())  # type: ignore[index]
    scaled = set(" ".join(re.findall(r"scale deployment ([\w ]+) --replicas=0", KUBERNETES)).split())

    assert paused == names["ScaledObject"]
    assert paused | scaled == names["Deployment"]
    assert paused & scaled == set()
    for each in objects(BASE):
        if each["kind"] == "Deployment":
            assert each["metadata"]["name"] in paused or "replicas" in each["spec"], (
                "applying it does not start it again"
            )
            assert each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "penstock"


def test_every_command_on_kubernetes_names_the_namespace_of_the_objects_and_stops_schedulers_first() -> None:
    [namespace] = _names("Namespace")
    asked = re.findall(r"^kubectl (.*)$", KUBERNETES, re.MULTILINE)

    assert [line for line in asked if not line.startswith((f"--namespace {namespace} ", "apply --kustomize "))] == []
    assert "scale deployment scheduler --replicas=0" in asked[0]


def _names(kind: str) -> set[str]:
    return {each["metadata"]["name"] for each in objects(BASE) if each["kind"] == kind}
