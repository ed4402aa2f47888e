"""The configuration as Sphinx reads it, for `make preview`: what jupyter-book makes of `_config.yml`."""

from pathlib import Path

from jupyter_book.config import get_final_config

ROOT = Path(__file__).parents[4]
ragvsft_preview = True
LATEX = {"latex_individualpages": False}  # which it asks for whatever is built

globals().update(get_final_config(user_yaml=ROOT / "_config.yml", sourcedir=ROOT, cli_config=LATEX)[0])
