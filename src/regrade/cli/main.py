"""The program's entry: finds the verb, imports only its file, and turns every error into one message."""

import argparse
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import NoReturn

__all__ = ["VERBS", "main"]

VERBS = {
    "init": ("starting", "start a small working suite in this folder"),
    "validate": ("validating", "check specs and render the first sample of each; asks no model"),
    "list": ("listing", "show suites, datasets, models and plug-ins"),
    "schema": ("schema", "print the JSON Schema of specs, for editors"),
    "run": ("running", "run suites over every listed model"),
    "compare": ("comparing", "what changed between two runs, models or prompts, and how sure that is"),
    "gate": ("gating", "hold a run against rules; the exit code is the verdict"),
    "baseline": ("baselines", "name a run that later ones are held against"),
    "power": ("sizing", "how many samples show a drop, or which drop these show"),
    "runs": ("runs", "list runs, newest first"),
    "show": ("showing", "print the tables or the samples of a run"),
    "score": ("scoring", "score the stored answers of a run again, without a request"),
    "models": ("models", "list what an endpoint offers"),
    "cache": ("caching", "show or clear the cache of answers across runs"),
    "report": ("report", "write a page of the dashboard as one file, to attach to a pull request"),
    "dashboard": ("dashboard", "look at all runs in a browser; read-only"),
    "dataset": ("datasets", "make a dataset from recorded traffic"),
    "gateway": ("serving", "serve, forward, record or replay models behind an OpenAI-compatible API"),
    "gateway keys": ("keys", "make, list and revoke the keys of its clients"),
}
"""Verb, of one word or two, to its file in this folder and its line of help."""

INTERRUPTED = 130
_ENDLESS = 100_000
_DISK_HINTS = {
    errno.ENOSPC: "make room there, or choose another place",
    errno.EDQUOT: "make room there, or choose another place",
    errno.EROFS: "nothing can be written there: choose another folder",
    errno.EACCES: "this user may not write there: choose another folder, or change its permissions",
    errno.EPERM: "this user may not write there: choose another folder, or change its permissions",
    errno.ENOTDIR: "a part of the path is a file: choose another folder",
}


class _Parser(argparse.ArgumentParser):
    """Argparse with help as wide as the terminal, and the nearest known option beside an unknown one."""

    def format_help(self) -> str:
        from regrade.cli.helping import fit_prose, fit_usage, help_width

        if self.usage is None:
            self.formatter_class = partial(argparse.HelpFormatter, width=_ENDLESS)
            usage = fit_usage(self.format_usage(), help_width())
            self.usage = usage.removeprefix("usage: ").replace("%", "%%")
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        for group in (self, *self._action_groups):  # what stands in a group is indented by two
            if group.description:
                group.description = fit_prose(group.description, help_width() - 2 * (group is not self))
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            from regrade.plugins import did_you_mean

            known = [text for action in self._actions for text in action.option_strings]
            hints = [did_you_mean(word.partition("=")[0], known) for word in unknown.split()]
            message = f"unknown argument {unknown}" + "".join(f"; {hint}" for hint in hints if hint)
        print(f"{self.prog}: error: {message}", file=sys.stderr)
        print(f"  see: {self.prog} --help", file=sys.stderr)
        raise SystemExit(2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The arguments after the program's name; default those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with _guarded_output():
            code = _dispatch(arguments)
            sys.stdout.flush()  # a full disk is told here; at the interpreter's end nobody would catch it
            return code
    except BrokenPipeError:
        # The reader of our output went away (`regrade show x | head`): that is its choice and no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the outermost frame: every error becomes one message
        return _report(error, debug="--debug" in arguments)


@contextmanager
def _guarded_output() -> Iterator[None]:
    """Let nothing that a model said reach the runner of a CI as a command."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        yield
        return
    from regrade.pages.commands import GuardedStream

    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = GuardedStream(out), GuardedStream(err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["--debug"]:
        arguments = arguments[1:]
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(_help())
        return 0 if arguments else 2
    if arguments[0] in {"-V", "--version"}:
        from importlib.metadata import version

        print(f"regrade {version('regrade')}")
        return 0
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # frees what a table took
    pair = " ".join(arguments[:2])
    verb = pair if pair in VERBS else arguments[0]
    if verb not in VERBS:
        from regrade.errors import UsageError
        from regrade.plugins import did_you_mean

        raise UsageError(f'unknown command "{verb}"', hint=did_you_mean(verb, VERBS) or "see: regrade --help")
    module = import_module(f"regrade.cli.{VERBS[verb][0]}")
    parser = _Parser(
        prog=f"regrade {verb}",
        description=module.__doc__,
        allow_abbrev=False,
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    module.add_arguments(parser)
    code: int = module.execute(parser.parse_args(arguments[verb.count(" ") + 1 :]))
    return code


def _help() -> str:
    from regrade.cli.helping import fit_prose, fit_verbs, help_width

    width = help_width()
    about = "Tells whether a new model, prompt or parameter is better or worse than what you ship."
    verbs = fit_verbs({verb: text for verb, (_, text) in VERBS.items()}, width)
    start = "`regrade VERB --help` explains each. Start with: regrade init"
    lines = ["usage: regrade VERB [options]", "", fit_prose(about, width), "", *verbs]
    return "\n".join([*lines, "", fit_prose(start, width)])


def _unwritten(error: OSError) -> str:
    """Return which file an error of the system is about, and what to do about it."""
    name = str(error.filename) if error.filename else ""
    if not _takes_output():
        name = name or "standard output"
    told = error.strerror or str(error)
    message = f"{name}: {told}" if name else told
    hint = _DISK_HINTS.get(error.errno or 0)
    return f"{message}\n  {hint}" if hint else message


def _takes_output() -> bool:
    """Return whether standard output can be written; where not, what waits in it is given up."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _report(error: Exception, *, debug: bool) -> int:
    from regrade.errors import RegradeError

    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, RegradeError):
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if isinstance(error, OSError):
        print(f"error: {_unwritten(error)}", file=sys.stderr)
        return 1
    if not debug:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        print("  this is a fault of regrade; --debug shows where", file=sys.stderr)
    return 1
