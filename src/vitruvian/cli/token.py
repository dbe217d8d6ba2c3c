"""`vitruvian token issue|list|revoke`: who may ask the service for what."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from vitruvian.trust.policy import Role
from vitruvian.trust.token_file import DAYS_MAX, add_token, revoke_token
from vitruvian.trust.tokens import Token, read_tokens

File = Annotated[Path, typer.Option("--file", help="The file of tokens, as given to `vitruvian serve --tokens`.")]
Name = Annotated[
    str, typer.Option(help="Whose token it is: a person, a station, a device. It is shown beside what is done.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON on standard output.")]

commands = typer.Typer(name="token", help="Issue, list and revoke access tokens.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands)


@commands.command()
def issue(
    file: File,
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer reads; clinician also settles alarms; integrator writes.")],
    days: Annotated[
        int | None, typer.Option(min=1, max=DAYS_MAX, help="Days it holds; by default without end.")
    ] = None,
    json_: Json = False,
) -> None:
    """Issue a token and print it, once: only its digest is kept. A running service takes it within a second."""
    token = add_token(file, name, role, days)
    made = _shown(read_tokens(file)[name])
    if json_:
        typer.echo(json.dumps({**made, "token": token}))
        return
    until = f", until {made['expires']}" if made["expires"] else ""
    typer.echo(f"{name}, {role}{until}. The token is shown this once:", err=True)
    typer.echo(token)


@commands.command("list")
def list_(file: File, json_: Json = False) -> None:
    """Who has a token, of which role, until when. The tokens themselves are not known."""
    tokens = [_shown(token) for token in read_tokens(file).values()]
    if json_:
        typer.echo(json.dumps({"tokens": tokens}))
        return
    width = max((len(one["name"]) for one in tokens), default=0)
    for one in tokens:
        until = f"{'expired' if one['expired'] else 'until'} {one['expires']}" if one["expires"] else "without end"
        typer.echo(f"{one['name']:<{width}}  {one['role']:<10}  {until}")
    if not tokens:
        typer.echo("no tokens")


@commands.command()
def revoke(file: File, name: Name, json_: Json = False) -> None:
    """Take a token away; its sessions and open pages end within seconds."""
    revoke_token(file, name)
    typer.echo(json.dumps({"revoked": name}) if json_ else f"revoked {name}")


def _shown(token: Token) -> dict[str, Any]:
    expires = None
    if token.expires_s is not None:
        expires = datetime.fromtimestamp(token.expires_s, UTC).isoformat().replace("+00:00", "Z")
    return {"name": token.name, "role": str(token.role), "expires": expires, "expired": token.expired}
