"""``agentkit graph``: the picture of a graph file, or the file itself, normalised."""

from __future__ import annotations

from pathlib import Path

import click

from agentkit.errors import InputError, MissingExtraError

_FONTS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)


@click.command(name="graph")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["mermaid", "svg", "png", "yaml"]), default="mermaid", show_default=True
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
def command(file: Path, form: str, output: Path | None) -> None:
    """Draw the graph FILE, or with --format yaml write it normalised: no comments, defaults left out."""
    from agentkit.graph import to_yaml
    from agentkit.graph.draw import mermaid, svg
    from agentkit.kit import Kit

    spec = Kit().graph(file).spec
    text = {"mermaid": mermaid, "yaml": to_yaml}.get(form, svg)(spec)
    picture = _png(text) if form == "png" else text.encode()
    if output is None:
        click.echo(picture, nl=False)
        return
    try:
        output.write_bytes(picture)
    except OSError as error:
        raise InputError(f"the picture cannot be written to {output}: {error.strerror}") from None
    click.echo(f"wrote {output}", err=True)


def _png(picture: str) -> bytes:
    try:
        import resvg_py
    except ImportError:
        raise MissingExtraError("resvg-py", "png", "--format png") from None
    if not any(True for folder in _FONTS for _ in Path(folder).expanduser().glob("**/*.[to]tf")):
        raise InputError(
            "--format png needs a font and this system has none: install one (fonts-dejavu-core), or use svg"
        )
    return bytes(resvg_py.svg_to_bytes(svg_string=picture))
