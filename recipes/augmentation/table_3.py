"""AugIntAE's table 3: a letters classifier trained without augmentation and with one or another.

    python recipes/augmentation/table_3.py AE=ae.keras AugIntAE=augintae.keras maps=maps.keras -o DIR

DIR then holds `table.json`, `table.md`, `table.png` and `accuracies.json`, from which the command goes on when it is
called again. README.md has what was measured.
"""

import argparse
import json
import pathlib

from kerasinterp import processor

# Images a class, and the steps of each classifier: README.md says how they were chosen.
STEPS = {20: 600, 100: 1200, "all": 2000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="NAME=MODEL", help="a row's name, and a .keras file or a preset")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--data", default="handwritten_az", help="a dataset with the splits train and test")
    parser.add_argument("--split", default="train", help="what classifiers learn from")
    parser.add_argument("--test", default="test", help="what they are tested on")
    parser.add_argument(
        "--steps", type=_steps, default=STEPS, metavar="SIZE=STEPS,...", help="images a class (or all), and steps"
    )
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--width", type=int, default=64, help="of the classifier; 64 is the paper's")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = processor.prepare()
    from kerasinterp import data, generation  # after what is set above
    from kerasinterp.errors import InputError
    from kerasinterp.evaluation import Augmentation, draw_augmentation, table_of_augmentation

    try:
        models = {}
        for given in options.models:
            name, _, file = given.rpartition("=")
            models[name or pathlib.Path(file).stem] = generation.load_model(file)
        train, test = (data.load_examples(options.data, split, labels=True) for split in (options.split, options.test))
        measured = Augmentation(
            train,
            test,
            options.steps,
            runs=options.runs,
            width=options.width,
            batch_size=options.batch,
            seed=options.seed,
            kept=options.output / "accuracies.json",
            verbose=1,
        )
        table = measured.measure(models)
    except InputError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    protocol = measured.protocol | {
        "steps": options.steps,
        "runs": options.runs,
        "data": [options.data, options.split, options.test],
        "models": options.models,
        "processor": processor.describe(),
        "settings": settings,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "table.json").write_text(json.dumps(table | {"protocol": protocol}, indent=1) + "\n")
    (options.output / "table.md").write_text(table_of_augmentation(table))
    draw_augmentation(table, options.output / "table.png")
    print(table_of_augmentation(table))


def _steps(text: str) -> dict[int | str, int]:
    pairs = [one.partition("=") for one in text.split(",")]
    return {size if size == "all" else int(size): int(steps) for size, _, steps in pairs}


if __name__ == "__main__":
    main()
