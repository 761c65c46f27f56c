"""Text that comes with the data, shown as it stands in a terminal."""


def line(text: str) -> str:
    """Return text on one line: what a terminal would act on, or cannot show, is spelt out."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
