"""What tests share: data drawn by code, results, a small project, a browser."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent  # of the project
