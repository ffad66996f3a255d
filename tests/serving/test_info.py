"""``/models``, ``/health``, ``/metrics`` and ``/openapi.json``; and that nothing is logged."""

import logging

import httpx
from clients import image, served
from fakes import FakeEngine

from kpviewer.serving.service import Service


def test_the_model_is_described():
    (model,) = served(lambda client: client.get("/models")).json()
    assert (model["name"], model["task"], model["classes"]) == ("fake", "detect", ["thing"])
    assert model["input_hw"] == [24, 32]
    assert model["thresholds"] == {"conf": 0.3, "iou": 0.4, "nms": "hard"}
    assert {"licence", "model_hash", "keypoints"} <= model.keys()


def test_health_says_why_it_isnt_ready():
    broken = FakeEngine(fails_at={0: RuntimeError("no memory"), 1: RuntimeError("no memory")})

    async def ask(client: httpx.AsyncClient) -> tuple[httpx.Response, ...]:
        before = await client.get("/health")
        assert (await client.head("/health")).status_code == 200
        failed = await client.post("/detect", content=image(1))
        after = await client.get("/health")
        while after.status_code == 200:  # the model is being tried with another image
            after = await client.get("/health")
        return before, failed, after

    before, failed, after = served(ask, broken)
    assert (before.status_code, before.json()) == (200, {"ready": True})
    assert (failed.status_code, "no memory" in failed.json()["error"]) == (500, True)
    assert (after.status_code, after.json()["ready"]) == (503, False)
    assert "no memory" in after.json()["error"]


def test_health_finds_out_that_the_model_works_again():
    engine = FakeEngine(fails_at={0: RuntimeError("no memory"), 1: RuntimeError("no memory")})

    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        await client.post("/detect", content=image(1))
        while (await client.get("/health")).status_code == 200:
            pass  # the model is being tried with another image
        engine.fails_at = {}
        while (answer := await client.get("/health")).status_code == 503:
            pass  # no client sends an image
        return answer

    assert served(ask, engine).json() == {"ready": True}


def test_metrics_count_requests_frames_and_times():
    async def ask(client: httpx.AsyncClient) -> str:
        await client.post("/detect", content=image())
        await client.post("/detect", content=b"garbage")
        for number in range(3):
            await client.get(f"/nowhere-{number}")
        return (await client.get("/metrics")).text

    lines = served(ask).splitlines()
    for line in (
        'kpviewer_requests_total{code="200",path="/detect"} 1.0',
        'kpviewer_requests_total{code="415",path="/detect"} 1.0',
        'kpviewer_requests_total{code="404",path="other"} 3.0',
        'kpviewer_request_seconds_count{path="/detect"} 2.0',
        'kpviewer_frames_total{origin="detect"} 1.0',
        "kpviewer_model_seconds_count 1.0",
        "kpviewer_model_seconds_sum 0.006",  # 1 + 2 + 3 ms
        "kpviewer_queue_depth 0.0",
        "kpviewer_ready 1.0",
    ):
        assert line in lines


def test_a_failure_of_the_service_is_counted_as_one(monkeypatch):
    def fails(*_: object) -> str:
        raise ValueError("odd")

    async def ask(client: httpx.AsyncClient) -> tuple[int, str]:
        answer = await client.post("/detect", content=image())
        return answer.status_code, (await client.get("/metrics")).text

    monkeypatch.setattr(Service, "json_of", fails)
    status, metrics = served(ask)
    assert status == 500
    assert 'kpviewer_requests_total{code="500",path="/detect"} 1.0' in metrics


def test_openapi_describes_every_route_with_examples():
    paths = served(lambda client: client.get("/openapi.json")).json()["paths"]
    assert {"/detect", "/models", "/health", "/metrics"} <= paths.keys()
    detect = paths["/detect"]["post"]
    assert {"image/jpeg", "multipart/form-data"} <= detect["requestBody"]["content"].keys()
    example = detect["responses"]["200"]["content"]["application/json"]["example"]
    answer = served(lambda client: client.post("/detect", content=image())).json()
    assert example.keys() == {name for name, value in answer.items() if value is not None}
    assert example["timings"].keys() == answer["timings"].keys()
    assert example["detections"][0].keys() == answer["detections"][0].keys()
    models = paths["/models"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    (described,) = served(lambda client: client.get("/models")).json()
    assert (models[0].keys(), models[0]["thresholds"].keys()) == (
        described.keys(),
        described["thresholds"].keys(),
    )
    parameters = {each["name"] for each in detect["parameters"]}
    assert parameters == {"conf", "iou", "nms", "sigma", "keypoint_conf", "classes", "format"}


def test_nothing_of_a_request_is_logged(caplog, capfd):
    async def ask(client: httpx.AsyncClient) -> None:
        for path in ("/detect?conf=0.1&token=secret-token", "/detect?token=wrong", "/secret"):
            await client.post(path, content=image())
        await client.post("/detect?token=secret-token", content=b"\xff\xd8\xff secret")

    with caplog.at_level(logging.INFO, "kpviewer"):
        served(ask, token="secret-token")
    assert caplog.text == ""
    assert "secret" not in "".join(capfd.readouterr())
