"""Rows as aligned text."""


def aligned(header, rows):
    """Lines with columns as wide as their widest cell; numbers to the right."""
    cells = [header, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    is_number = [all(_is_number(row[column]) for row in rows) for column in range(len(header))]

    def line(row):
        padded = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, is_number)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join(line(row) for row in cells)


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return text == ""
    return True
