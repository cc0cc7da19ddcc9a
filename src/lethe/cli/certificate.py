"""`lethe certificate`: fetch a certificate, and check one offline."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lethe.cli.calling import client
from lethe.cli.output import Format, Output, say, show_json
from lethe.contract.spelling import EXPIRATION_PREFIX

certificate = typer.Typer(no_args_is_help=True, help="Certificates: fetch them, and check them offline.")


@certificate.command(
    epilog="Example:\n\nlethe certificate get DI-… --file proof.json && lethe certificate check proof.json"
)
def get(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(help="A work order's id (DI-…), or an expiration's (SD-…).")],
    file: Annotated[Path | None, typer.Option(help="Where to write it; standard output when absent.")] = None,
) -> None:
    """Fetch the signed certificate of a completed work order or expiration, as JSON."""
    lethe = client(ctx)
    source = lethe.expirations if subject.startswith(EXPIRATION_PREFIX) else lethe.work_orders
    text = json.dumps(source.certificate(subject).to_wire(), indent=2, ensure_ascii=False)
    if file is None:
        typer.echo(text)
    else:
        file.write_text(text + "\n")
        say(f"Wrote {file}.")


@certificate.command()
def check(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="The certificate: the signed text, or the API's whole answer."
        ),
    ],
    key: Annotated[
        str | None, typer.Option(help="The thumbprint (kid) of the only key to trust; without it any key will do.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Check a certificate's signature, offline; exit with status 1 when it does not fit."""
    from lethe.auth.documents import InvalidDocument, check_document

    try:
        checked = check_document(_signed_text(file))
    except InvalidDocument as error:
        _say_invalid(f"Not valid: {error}.", output)
        raise typer.Exit(1) from None
    if key is not None and checked.key_thumbprint != key:
        _say_invalid(f"Not trusted: the certificate is signed by {checked.key_thumbprint}.", output)
        raise typer.Exit(1)
    content = json.loads(checked.content)
    if output is Format.JSON:
        show_json(
            {"valid": True, "signedBy": checked.key_thumbprint, "trusted": key is not None, "certificate": content}
        )
        return
    show_json(content)
    trust = "the key that you named" if key else "a key that you should compare with GET …/certificate/keys"
    typer.echo(f"Valid: signed by {checked.key_thumbprint}, {trust}.")


def _signed_text(file: Path) -> str:
    """The signed text of a file that is this, or an answer that holds it; what is neither fits no signature."""
    text = file.read_text(errors="replace")
    if not text.lstrip().startswith("{"):
        return text
    try:
        return str(json.loads(text).get("jws", ""))
    except ValueError:
        return ""


def _say_invalid(reason: str, output: Format) -> None:
    if output is Format.JSON:
        show_json({"valid": False, "reason": reason})
    else:
        typer.echo(reason)
