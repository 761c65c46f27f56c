"""Text that comes with the data, shown as it stands in a terminal."""


def line(text: str) -> str:
    """Return text on one line: what a terminal would act on, or cannot show, is spelt out."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
