"""Asks a TF Serving model for the images between two image files, over REST or gRPC.

    python client.py a.png b.png --steps 9 --output frames                      # REST, port 8501: needs Python alone
    python client.py a.png b.png --steps 9 --output frames --grpc localhost:8500

gRPC needs `pip install grpcio tensorflow-serving-api` (which brings TensorFlow). Neither needs Keras or kerasinterp.
"""

import argparse
import base64
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

SIGNATURE = "interpolate_image_bytes"


def interpolate_rest(address: str, model: str, a: bytes, b: bytes, alphas: list[float]) -> list[bytes]:
    """One PNG file for each alpha, the weight of image `b`; `address` is `host:port`."""
    first, second = ({"b64": base64.b64encode(image).decode()} for image in (a, b))
    instances = [{"image_a_bytes": first, "image_b_bytes": second, "alpha": alpha} for alpha in alphas]
    request = urllib.request.Request(
        f"http://{address}/v1/models/{model}:predict",
        json.dumps({"signature_name": SIGNATURE, "instances": instances}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        predictions = json.load(response)["predictions"]
    return [base64.b64decode(prediction["b64"]) for prediction in predictions]


def interpolate_grpc(address: str, model: str, a: bytes, b: bytes, alphas: list[float]) -> list[bytes]:
    """As `interpolate_rest`, over gRPC."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = SIGNATURE
    inputs = {"image_a_bytes": [a] * len(alphas), "image_b_bytes": [b] * len(alphas)}
    for name, files in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(files, tf.string))
    request.inputs["alpha"].CopyFrom(tf.make_tensor_proto(alphas, tf.float32))
    with grpc.insecure_channel(address) as channel:
        response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=30)
    return list(tf.make_ndarray(response.outputs["image_bytes"]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask TF Serving for the images between two image files.")
    parser.add_argument("a", type=Path, help="a PNG or JPEG file")
    parser.add_argument("b", type=Path, help="a PNG or JPEG file")
    parser.add_argument("--model", default="augintae")
    parser.add_argument("--steps", type=int, default=9, help="number of images, both ends included; at least 2")
    parser.add_argument("--output", type=Path, default=Path("frames"))
    address = parser.add_mutually_exclusive_group()
    address.add_argument("--rest", metavar="HOST:PORT", default="localhost:8501")
    address.add_argument("--grpc", metavar="HOST:PORT")
    arguments = parser.parse_args()
    if arguments.steps < 2:
        parser.error("--steps must be at least 2")
    alphas = [step / (arguments.steps - 1) for step in range(arguments.steps)]
    try:
        images = arguments.a.read_bytes(), arguments.b.read_bytes()
        if arguments.grpc:
            frames = interpolate_grpc(arguments.grpc, arguments.model, *images, alphas)
        else:
            frames = interpolate_rest(arguments.rest, arguments.model, *images, alphas)
        arguments.output.mkdir(parents=True, exist_ok=True)
        for number, frame in enumerate(frames):
            (arguments.output / f"{number:03}.png").write_bytes(frame)
    except urllib.error.HTTPError as error:
        sys.exit(f"The server refused the request: {error.read().decode(errors='replace')[:300]}")
    except urllib.error.URLError as error:
        sys.exit(f"The server at {arguments.rest} did not answer: {error.reason}")
    except OSError as error:
        sys.exit(str(error))
    except ModuleNotFoundError as error:
        sys.exit(f"gRPC needs {error.name}: pip install grpcio tensorflow-serving-api")
    except Exception as error:
        # grpc.RpcError, which only an installed grpc can name.
        if not hasattr(error, "details"):
            raise
        sys.exit(f"The server at {arguments.grpc} did not answer: {error.details()}")


if __name__ == "__main__":
    main()
