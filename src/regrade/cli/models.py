"""List the models that an OpenAI-compatible endpoint offers."""

import argparse

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("--base-url", help="default: OPENAI_BASE_URL, else OpenAI's own")
    parser.add_argument("--api-key-env", metavar="NAME", help="environment variable that holds the key")


def execute(args: argparse.Namespace) -> int:
    """Print the list; return 1 when the endpoint lists none."""
    from regrade.api import endpoint_models
    from regrade.cli.terminal import make_console, print_views
    from regrade.views import ColumnView, TableView

    url, found = endpoint_models(args.base_url, args.api_key_env)
    console = make_console()
    if not found:
        console.print(f"{url} lists no models", soft_wrap=True)
        return 1
    rows = tuple(
        (one.id, f"{one.context_window:,}" if one.context_window else "", one.owned_by or "") for one in found
    )
    columns = (ColumnView("model"), ColumnView("context window", "right"), ColumnView("owner"))
    print_views(console, [TableView(f"models of {url}", columns, rows)])
    return 0
