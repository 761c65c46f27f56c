"""What a step is given of params.yaml, with other values."""

from typing import Any, TypeVar

from lssat.params.views import View

V = TypeVar("V", bound=View)


def changed(view: V, **sections: dict[str, Any]) -> V:
    """Return a view with other values in some of its sections, unchecked."""
    others = {
        name: getattr(view, name).model_copy(update=values) for name, values in sections.items()
    }
    return view.model_copy(update=others)
