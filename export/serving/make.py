"""Makes a TF Serving directory of a trained model: version folder, warm-up records, settings.

python make.py runs/augintae_mnist/model.keras models --name augintae --version 1
"""

import argparse
import sys
from pathlib import Path

from kerasinterp.errors import InputError
from kerasinterp.exporting import export_serving
from kerasinterp.generation import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a TF Serving directory of a trained model.")
    parser.add_argument("model", type=Path, help="a .keras file that kerasinterp wrote")
    parser.add_argument("directory", type=Path, help="the folder that the server will see as /models")
    parser.add_argument("--name", default="augintae", help="the model's name in requests")
    parser.add_argument("--version", type=int, default=1, help="a number larger than those already served")
    arguments = parser.parse_args()
    try:
        print(export_serving(load_model(arguments.model), arguments.directory, arguments.name, arguments.version))
    except (InputError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
