"""docs/scale.md: its Kubernetes manifests parse, and have KubeRay's fields alone."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from training.placement import workers_range

DOCS = Path(__file__).parent.parent / "docs" / "scale.md"
MANIFESTS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)]

# KubeRay's ray.io/v1 types.
JOB = {"entrypoint", "backoffLimit", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "rayClusterSpec"}
CLUSTER = {"rayVersion", "enableInTreeAutoscaling", "headGroupSpec", "workerGroupSpecs"}
HEAD = {"rayStartParams", "template"}
WORKERS = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}


def spec_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest's RayClusterSpec."""
    found: dict[str, Any] = manifest["spec"].get("rayClusterSpec", manifest["spec"])
    return found


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest["kind"])
def test_a_manifest_has_known_fields_of_the_right_types(manifest: dict[str, Any]):
    assert manifest["apiVersion"] == "ray.io/v1"
    assert manifest["kind"] in ("RayJob", "RayCluster")
    cluster = spec_of(manifest)
    assert set(cluster) <= CLUSTER
    if manifest["kind"] == "RayJob":
        assert set(manifest["spec"]) <= JOB
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    assert set(groups[0]) <= HEAD
    for group in groups[1:]:
        assert set(group) <= WORKERS
        assert 0 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in groups:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            assert all(isinstance(one["value"], str) for one in container.get("env", []))


def test_both_kinds_are_there_and_the_job_is_a_command_of_ours():
    assert [manifest["kind"] for manifest in MANIFESTS] == ["RayJob", "RayCluster"]
    words = shlex.split(MANIFESTS[0]["spec"]["entrypoint"])
    assert words[:3] == ["diptych", "train", "small"]
    (group,) = spec_of(MANIFESTS[0])["workerGroupSpecs"]
    wanted = workers_range(words[words.index("--workers") + 1])
    assert (wanted["min_workers"], wanted["num_workers"]) == (group["minReplicas"], group["maxReplicas"])
