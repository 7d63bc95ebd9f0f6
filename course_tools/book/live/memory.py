"""What the browser remembers of the course, with buttons to export and to erase it."""


def panel(_: str) -> str:
    """The panel; without scripts nothing is remembered, and it isn't shown."""
    return (
        '<div class="live memory pst-js-only"><p role="status" class="live-status"></p>'
        '<p class="live-buttons"><button type="button">Export</button> '
        '<button type="button">Erase</button></p></div>'
    )
