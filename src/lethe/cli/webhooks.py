"""`lethe webhook`: who is told of events, and what became of each message."""

from typing import Annotated

import typer

from lethe.cli.calling import client
from lethe.cli.confirming import Yes, confirm, require_somebody
from lethe.cli.output import Format, Output, show, show_all
from lethe.client.webhooks import Delivery, Webhook

webhook = typer.Typer(no_args_is_help=True, help="Webhooks: who is told of events, and what became of each message.")

Id = Annotated[str, typer.Argument(help="The webhook's id (WH-…).")]


@webhook.command("list")
def list_(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List the organization's webhooks."""
    show_all(
        client(ctx).webhooks.list(),
        output,
        ("ID", "URL", "SANDBOX", "ENABLED", "FAILING SINCE"),
        lambda each: (each.webhook_id, each.url, each.sandbox_name, each.enabled, each.failing_since or ""),
    )


@webhook.command(
    epilog="Example:\n\nlethe webhook create https://hooks.example.com/lethe -t org.lethe.workorder.completed"
)
def create(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(help="Where events are posted.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", "-t", help="A type of events, given again for each; all when absent.")
    ] = None,
    sandbox: Annotated[str, typer.Option("--of", help="Of which sandbox to tell; * is all.")] = "*",
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Have events posted to a URL. Shows the secret that verifies their signatures, once."""
    made = client(ctx).webhooks.create(url, types=types or (), sandbox=sandbox, description=description)
    _print(made, output)


@webhook.command()
def delete(ctx: typer.Context, webhook_id: Id, yes: Yes = False, output: Output = Format.TABLE) -> None:
    """Remove a webhook, with its secret and its deliveries."""
    require_somebody(yes=yes)
    lethe = client(ctx)
    if not yes:
        confirm(f"Remove the webhook to {lethe.webhooks.get(webhook_id).url}?", yes=yes)
    _print(lethe.webhooks.delete(webhook_id), output)


@webhook.command()
def deliveries(
    ctx: typer.Context,
    webhook_id: Id,
    status: Annotated[str | None, typer.Option(help="One of pending, delivered, failed.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List what was sent to a webhook, is on its way or was given up, the newest first."""
    show_all(
        client(ctx).webhooks.deliveries(webhook_id, status=status),
        output,
        ("ID", "STATUS", "TYPE", "ABOUT", "ATTEMPTS", "ANSWER", "WHY"),
        lambda each: (
            each.delivery_id,
            each.status,
            each.type,
            each.subject,
            each.attempts,
            each.response_status or "",
            each.reason or "",
        ),
    )


@webhook.command()
def redeliver(
    ctx: typer.Context,
    webhook_id: Id,
    delivery_id: Annotated[str, typer.Argument(help="The delivery's id.")],
    output: Output = Format.TABLE,
) -> None:
    """Send an event to a webhook once more, under the same id."""
    _print_delivery(client(ctx).webhooks.redeliver(webhook_id, delivery_id), output)


@webhook.command("test")
def ping(ctx: typer.Context, webhook_id: Id, output: Output = Format.TABLE) -> None:
    """Send a webhook a ping; `lethe webhook deliveries` shows whether it arrived."""
    _print_delivery(client(ctx).webhooks.test(webhook_id), output)


def _print(found: Webhook, output: Format) -> None:
    facts = {
        "id": found.webhook_id,
        "url": found.url,
        "types": ", ".join(found.types) or "all",
        "sandbox": found.sandbox_name,
        "description": found.description,
        "enabled": found.enabled,
        "disabled because": found.disabled_reason,
        "secret (shown once)": found.secret,
    }
    show(found, output, facts)


def _print_delivery(delivery: Delivery, output: Format) -> None:
    facts = {"id": delivery.delivery_id, "type": delivery.type, "about": delivery.subject, "status": delivery.status}
    show(delivery, output, facts)
