"""The forms of a comparison of frameworks: a table, a figure, a sentence.

A record is what a framework's chapter told, with "saved": true if it comes from another run.
"""

import math
from datetime import date

from docutils import nodes

from mbsgd_lib.picture import COLORS, axes, in_style, legend, picture

MARKERS = "os^D"


def updates(record):
    """Return the microseconds of an update by batch size, by way."""
    times = record["us_per_update"]
    return {way: {f"{int(b):,}": us for b, us in sizes.items()} for way, sizes in times.items()}


def products(record):
    """Return the GFLOP/s of the matrix product by way, in the only row."""
    return {"": record["gflops"]}


# The rows; what the numbers are: in the table's corner, at the figure's axis, in its legend and
# in its caption.
QUANTITIES = {
    "updates": (
        updates,
        "µs at b =",
        "time of one update (µs)",
        "b = ",
        "An update with one example takes from {low} µs ({lowest}) to {high} µs ({highest}).",
    ),
    "products": (
        products,
        "GFLOP/s",
        "speed of the product (GFLOP/s)",
        "",
        "From {low} GFLOP/s ({lowest}) to {high} GFLOP/s ({highest}).",
    ),
}


def table(records, quantity, absent):
    """Return a table with a group of rows a framework."""
    if not records:
        return [nodes.paragraph("", left_out(absent))]
    values, unit, *_ = QUANTITIES[quantity]
    columns = list(next(iter(values(records[0]).values())))
    group = nodes.tgroup("", cols=1 + len(columns))
    group.extend(nodes.colspec(colwidth=width) for width in [2, *[1] * len(columns)])
    group += nodes.thead("", row(unit, *columns))
    group += (body := nodes.tbody())
    for record in records:
        for place, (way, numbers) in enumerate(values(record).items()):
            if way and place == 0:
                body += row(nodes.strong("", about(record)), span=len(columns))
            body += row(way or about(record), *map(short, numbers.values()))
    return [nodes.table("", group), *[nodes.paragraph("", left_out(absent)) for _ in absent[:1]]]


def row(*cells, span=0):
    """Return one row of a table; its only cell may span further columns."""
    entries = [nodes.entry("", text(cell), classes=["text-right"]) for cell in cells]
    entries[0]["classes"] = []
    if span:
        entries[0]["morecols"] = span
    return nodes.row("", *entries)


def text(cell):
    """Return a paragraph of what may be plain text."""
    return nodes.paragraph("", "", nodes.Text(cell) if isinstance(cell, str) else cell)


def about(record):
    """Name a framework, and the run that measured it if that was another one."""
    name = f"{record['framework']} {record['version']}"
    if not record["saved"]:
        return name
    then = date.fromisoformat(record["date"])
    when = f"{then:%B} {then.day}, {then.year}"
    return f"{name}, measured in another run: {record['processor']}, {when}"


def short(value):
    """Write three digits of a number, without an exponent."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"


def left_out(absent):
    """Name the frameworks that there is nothing to show of."""
    return f"Not measured, because its kernel was not found: {', '.join(absent)}." if absent else ""


def figure(records, quantity, absent):
    """Return a figure with a line a way and a dot a column."""
    if not records:
        return [nodes.paragraph("", left_out(absent))]
    values, _, xlabel, before, _ = QUANTITIES[quantity]
    rows = {
        f"{record['framework']}{'*' * record['saved']} {way}".rstrip(): {
            before + column: number for column, number in numbers.items()
        }
        for record in records
        for way, numbers in values(record).items()
    }
    stars = "* measured in another run." if any(record["saved"] for record in records) else ""
    parts = [extremes(rows, quantity), stars, left_out(absent)]
    drawn = draw(rows, xlabel, " ".join(part for part in parts if part))
    return [nodes.raw("", drawn._repr_html_(), format="html")]


def extremes(rows, quantity):
    """Say which way is the fastest and which the slowest, in the first column or in all."""
    named = {f"{name}": next(iter(numbers.values())) for name, numbers in rows.items()}
    if quantity == "products":
        named = {f"{name}, {way}": v for name, ways in rows.items() for way, v in ways.items()}
    lowest, highest = min(named, key=named.get), max(named, key=named.get)
    return QUANTITIES[quantity][-1].format(
        low=short(named[lowest]), lowest=lowest, high=short(named[highest]), highest=highest
    )


@in_style
def draw(rows, xlabel, caption):
    """Draw named rows of named values as dots on a logarithmic axis."""
    chart, ax = axes(xlabel, "", xscale="log")
    chart.set_size_inches(5.8, 1.1 + 0.27 * len(rows))
    places = range(len(rows))
    ends = [(min(numbers.values()), max(numbers.values())) for numbers in rows.values()]
    ax.hlines(places, *zip(*ends, strict=True), color=COLORS[-1], lw=1)
    columns = next(iter(rows.values()))
    for column, marker, color in zip(columns, MARKERS, COLORS, strict=False):
        dots = [numbers[column] for numbers in rows.values()]
        ax.plot(dots, places, marker, color=color, label=column, markersize=6)
    ax.set_yticks(places, rows)
    ax.locator_params(axis="x", numticks=6)  # of seven decades every second one is labeled
    ax.set_ylim(len(rows) - 0.5, -0.5)
    legend(ax)
    lines = [
        f"{name}: " + ", ".join(f"{column} {short(v)}" for column, v in numbers.items())
        for name, numbers in rows.items()
    ]
    return picture(chart, f"Dot chart of {xlabel}. {'; '.join(lines)}.", caption)


def sentence(template, ratio):
    """Return a form that says one ratio of times for each framework."""

    def form(records, quantity, absent):
        said = [f"{each['framework']} {ratio(each['us_per_update'])}" for each in records]
        return [nodes.paragraph("", template.format(", ".join(said)))] if said else []

    return form


def growth(times):
    """Return how many times longer an eager update takes with 100 examples than with one."""
    return f"{times['eager']['100'] / times['eager']['1']:.1f}"


def gain(times):
    """Return how many updates of the fastest way an eager one takes, and which way that is."""
    best = min(times, key=lambda way: times[way]["1"])
    return f"{short(times['eager']['1'] / times[best]['1'])} ({best})"


FORMS = {
    "table": table,
    "figure": figure,
    "growth": sentence("Time of an eager update, 100 examples against one: {}.", growth),
    "gain": sentence("Speed at batch size 1, the fastest way against eager: {}.", gain),
}
