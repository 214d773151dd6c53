"""The TF Serving directory, and the client example against doubles of the server's REST and gRPC interfaces."""

import base64
import http.server
import importlib.util
import io
import json
import os
import threading
from concurrent import futures
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from trained_networks import SHAPE, generator, image_file

from kerasinterp.errors import InputError
from kerasinterp.exporting import export_serving

ASSETS = Path(__file__).parent.parent.parent / "export" / "serving"


@pytest.fixture(scope="module")
def directory(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("serving")
    assert export_serving(model, path, "augintae", 1) == path / "augintae" / "1"
    return path


@pytest.fixture(scope="module")
def loaded(directory):
    return tf.saved_model.load(str(directory / "augintae" / "1"))


@pytest.fixture(scope="module")
def client():
    spec = importlib.util.spec_from_file_location("client", ASSETS / "client.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def files():
    return [image_file(np.random.default_rng(seed).integers(0, 256, SHAPE[:2], np.uint8)) for seed in range(2)]


@pytest.fixture(scope="module")
def expected(loaded, files):
    alphas = [0.0, 0.25, 1.0]
    a, b = (tf.constant([file] * 3) for file in files)
    signature = loaded.signatures["interpolate_image_bytes"]
    return alphas, list(signature(image_a_bytes=a, image_b_bytes=b, alpha=tf.constant(alphas))["image_bytes"].numpy())


def test_directory_holds_what_the_server_reads(directory):
    version = directory / "augintae" / "1"
    assert {file.name for file in version.iterdir()} >= {"saved_model.pb", "variables", "assets.extra"}
    assert {file.name for file in directory.iterdir()} == {"augintae", "models.config", "batching_params.pbtxt"}


@pytest.mark.parametrize("name", ["models.config", "batching_params.pbtxt"])
def test_examples_are_what_is_written(directory, name):
    assert (ASSETS / name).read_text() == (directory / name).read_text()


def test_models_config_is_valid(directory):
    config_pb2 = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    from google.protobuf import text_format

    config = text_format.Parse((directory / "models.config").read_text(), config_pb2.ModelServerConfig())
    (entry,) = config.model_config_list.config
    assert (entry.name, entry.base_path, entry.model_platform) == ("augintae", "/models/augintae", "tensorflow")
    assert entry.model_version_policy.latest.num_versions == 1


def test_batching_params_are_valid(directory):
    """Against BatchingParameters of session_bundle_config.proto, which no Python package carries."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2

    fields = {  # name: (number, type), from tensorflow_serving/servables/tensorflow/session_bundle_config.proto
        "max_batch_size": (1, "Int64Value"),
        "batch_timeout_micros": (2, "Int64Value"),
        "max_enqueued_batches": (3, "Int64Value"),
        "num_batch_threads": (4, "Int64Value"),
    }
    file = descriptor_pb2.FileDescriptorProto(name="batching.proto", package="t", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    message = file.message_type.add(name="BatchingParameters")
    for name, (number, kind) in fields.items():
        message.field.add(name=name, number=number, type=11, label=1, type_name=f".google.protobuf.{kind}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    parameters = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.BatchingParameters"))()
    text_format.Parse((directory / "batching_params.pbtxt").read_text(), parameters)
    for name in fields:
        assert getattr(parameters, name).value > 0


def test_warmup_records_run(directory, loaded):
    prediction_log_pb2 = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    path = directory / "augintae" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = [prediction_log_pb2.PredictionLog.FromString(r.numpy()) for r in tf.data.TFRecordDataset(str(path))]
    requests = [record.predict_log.request for record in records]
    assert {request.model_spec.signature_name for request in requests} == set(loaded.signatures)
    assert len(requests) <= 1000, "the server refuses more"
    for record, request in zip(records, requests, strict=True):
        assert [field.name for field, _ in record.ListFields()] == ["predict_log"]
        assert request.model_spec.name == "augintae"
        inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        outputs = loaded.signatures[request.model_spec.signature_name](**inputs)
        assert all(len(output) == 1 for output in outputs.values())


def prediction_log():
    """The message, of the fields that are used, from tensorflow_serving/apis/{prediction_log,predict,model}.proto.

    A tensor is the bytes of its message, which are the same on the wire.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    text, raw, nested = 9, 12, 11  # types of fields
    messages = {  # name: fields, as (name, number, type, the name of its message)
        "PredictionLog": [("predict_log", 6, nested, "PredictLog")],
        "PredictLog": [("request", 1, nested, "PredictRequest")],
        "PredictRequest": [("model_spec", 1, nested, "ModelSpec"), ("inputs", 2, nested, "Input")],
        "ModelSpec": [("name", 1, text, ""), ("signature_name", 3, text, "")],
        "Input": [("key", 1, text, ""), ("value", 2, raw, "")],  # an entry of map<string, TensorProto>
    }
    file = descriptor_pb2.FileDescriptorProto(name="log.proto", package="t", syntax="proto3")
    for message, fields in messages.items():
        made = file.message_type.add(name=message)
        for name, number, kind, of in fields:
            label = 3 if name == "inputs" else 1  # repeated or one
            field = made.field.add(name=name, number=number, type=kind, label=label)
            if of:
                field.type_name = f".t.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.PredictionLog"))


def test_warmup_records_ask_every_signature_for_one_example(directory, loaded):
    path = directory / "augintae" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    read = prediction_log()
    requests = [read.FromString(r.numpy()).predict_log.request for r in tf.data.TFRecordDataset(str(path))]
    assert {request.model_spec.signature_name for request in requests} == set(loaded.signatures)
    assert len(requests) == len(loaded.signatures)
    for request in requests:
        assert request.model_spec.name == "augintae"
        tensor = type(tf.make_tensor_proto(0))
        inputs = {one.key: tf.make_ndarray(tensor.FromString(one.value)) for one in request.inputs}
        for name, value in inputs.items():
            if name.endswith("_bytes"):
                with Image.open(io.BytesIO(value[0])) as file:
                    assert file.size == SHAPE[1::-1] and file.convert("L").getextrema() == (0, 0)
            elif name == "alpha":
                np.testing.assert_array_equal(value, np.float32([0.5]))
            elif name == "latent":
                assert np.linalg.norm(value) == 1.0  # as spherical mixing expects
            else:
                np.testing.assert_array_equal(value, np.full((1, *SHAPE), -1.0, np.float32))
        made = loaded.signatures[request.model_spec.signature_name](**{k: tf.constant(v) for k, v in inputs.items()})
        assert all(len(output) == 1 for output in made.values())


def test_a_second_version_stands_beside_the_first(tmp_path):
    model = generator()
    export_serving(model, tmp_path, "m", 1)
    (tmp_path / "batching_params.pbtxt").write_text("# tuned")
    export_serving(model, tmp_path, "m", 2)
    assert sorted(file.name for file in (tmp_path / "m").iterdir()) == ["1", "2"]
    assert (tmp_path / "batching_params.pbtxt").read_text() == "# tuned"
    with pytest.raises(InputError, match="exists: remove it"):
        export_serving(model, tmp_path, "m", 2)
    with pytest.raises(InputError, match="does not list the model 'other'"):
        export_serving(model, tmp_path, "other", 1)


def test_a_generator_is_served(tmp_path):
    version = export_serving(generator(), tmp_path, "gan")
    records = tf.data.TFRecordDataset(str(version / "assets.extra" / "tf_serving_warmup_requests"))
    assert len(list(records)) == 2
    loaded = tf.saved_model.load(str(version))
    assert set(loaded.signatures) == {"decode", "serving_default"}


CONFIG = "model_config_list: {\n  config { # the first\n    name:'m' base_path: \"/models/m\"\n  }\n}"


def test_a_config_of_the_operator_is_kept(tmp_path):
    (tmp_path / "models.config").write_text(CONFIG)
    export_serving(generator(), tmp_path, "m", np.int64(3), base_path="/models/m")
    assert (tmp_path / "models.config").read_text() == CONFIG
    assert (tmp_path / "m" / "3").is_dir()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00\x01", "models.config is no text: remove it"),
        (b"", "has no model_config_list: mend it"),
        (b"name: 'm'", "has no model_config_list: mend it"),
        (b'model_config_list { config { base_path: "m" } }', "does not list the model 'm': add it"),
        (b'model_config_list { # name: "m"\n}', "does not list the model 'm': add it"),
        (b'model_config_list { config { name: "m" base_path: "/a" } }', "does not list the path '/b': add it"),
        ("folder", "models.config is no file of settings: remove it"),
        ("link", "models.config is no file of settings: remove it"),
    ],
)
def test_a_config_that_cannot_be_used(tmp_path, content, sentence):
    path = tmp_path / "models.config"
    if content == "folder":
        path.mkdir()
    elif content == "link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        export_serving(generator(), tmp_path, "m", base_path="/b")
    assert [file.name for file in tmp_path.iterdir()] == ["models.config"]


def test_a_pipe_as_settings_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "batching_params.pbtxt")
    with pytest.raises(InputError, match=r"batching_params\.pbtxt is no file of settings"):
        export_serving(generator(), tmp_path, "m")


@pytest.mark.parametrize("base_path", ["", 'a"', "a\nb", "a\\", 3])
def test_a_base_path_that_cannot_be_written(tmp_path, base_path):
    with pytest.raises(InputError, match=r"base_path .* cannot be written into models\.config"):
        export_serving(generator(), tmp_path, "m", base_path=base_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "version"),
    [("a/b", 1), ("", 1), ('a"', 1), (None, 1), ("models.config", 1)]
    + [("m", version) for version in (0, -1, "1", True, 1.0, None, 2**63)],
)
def test_bad_names_and_versions(tmp_path, name, version):
    with pytest.raises(InputError, match=r"model name|version must be"):
        export_serving(generator(), tmp_path, name, version)
    assert not list(tmp_path.iterdir())


class RestDouble(http.server.BaseHTTPRequestHandler):
    """TF Serving's REST predict in row format (https://www.tensorflow.org/tfx/serving/api_rest)."""

    signatures = None

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/models/augintae:predict":
            return self.answer(404, {"error": f"Servable not found for request: {self.path}"})
        signature = self.signatures[body["signature_name"]]
        inputs = {}
        for name, spec in signature.structured_input_signature[1].items():
            values = [instance[name] for instance in body["instances"]]
            values = [base64.b64decode(value["b64"]) if spec.dtype == tf.string else value for value in values]
            inputs[name] = tf.constant(values, spec.dtype)
        ((name, output),) = signature(**inputs).items()
        assert name.endswith("_bytes")
        predictions = [{"b64": base64.b64encode(value).decode()} for value in output.numpy()]
        return self.answer(200, {"predictions": predictions})

    def answer(self, code, body):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def rest(loaded):
    RestDouble.signatures = loaded.signatures
    server = http.server.ThreadingHTTPServer(("localhost", 0), RestDouble)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_client_over_rest(client, rest, files, expected):
    alphas, images = expected
    assert client.interpolate_rest(rest, "augintae", *files, alphas) == images


def test_client_writes_frames(client, rest, files, tmp_path, monkeypatch):
    for name, file in zip("ab", files, strict=True):
        (tmp_path / f"{name}.png").write_bytes(file)
    seeds = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    arguments = ["client.py", *seeds, "--rest", rest, "--steps", "3", "--output", str(tmp_path / "frames")]
    monkeypatch.setattr("sys.argv", arguments)
    client.main()
    frames = sorted((tmp_path / "frames").iterdir())
    assert [frame.name for frame in frames] == ["000.png", "001.png", "002.png"]
    assert Image.open(io.BytesIO(frames[0].read_bytes())).size == SHAPE[1::-1]
    monkeypatch.setattr("sys.argv", [*arguments, "--model", "other"])
    with pytest.raises(SystemExit, match=r"refused the request: .*Servable not found"):
        client.main()
    monkeypatch.setattr("sys.argv", ["client.py", *seeds, "--rest", "localhost:1"])
    with pytest.raises(SystemExit, match="did not answer"):
        client.main()


def test_client_over_grpc(client, loaded, files, expected):
    grpc = pytest.importorskip("grpc")
    service = pytest.importorskip("tensorflow_serving.apis.prediction_service_pb2_grpc")
    from tensorflow_serving.apis import predict_pb2

    class Double(service.PredictionServiceServicer):
        def Predict(self, request, context):
            assert request.model_spec.name == "augintae"
            inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
            response = predict_pb2.PredictResponse()
            for name, output in loaded.signatures[request.model_spec.signature_name](**inputs).items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(output.numpy()))
            return response

    server = grpc.server(futures.ThreadPoolExecutor(2))
    service.add_PredictionServiceServicer_to_server(Double(), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    try:
        alphas, images = expected
        assert client.interpolate_grpc(f"localhost:{port}", "augintae", *files, alphas) == images
    finally:
        server.stop(None).wait()
