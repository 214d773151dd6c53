"""The recipes, one folder each: `recipe.py` and a README with what was measured."""
