"""What can be wrong with data, as the errors that name it."""

import os
from collections.abc import Iterable, Sequence

from ...grammar.diagnostics import NetError, did_you_mean, error, listing
from ...grammar.files import check_readable


def damaged(path: str, reason: str, help: str | None = None) -> NetError:
    """The error for a file whose content is not what it should be."""
    return error(
        "E521",
        f"`{path}` cannot be used as data: {reason}",
        help=help or "the file may be truncated or of another format: download or write it again",
    )


def mismatched(counts: Iterable[tuple[str, int]]) -> NetError:
    """The error for parts of a data set that hold different numbers of samples."""
    listed = ", ".join(f"{what} {count:_}" for what, count in counts)
    return error(
        "E522",
        f"the parts of the data hold different numbers of samples: {listed}",
        help="each sample needs an input and a target",
    )


def empty(name: str, help: str | None = None) -> NetError:
    """The error for a data set without samples."""
    return error("E525", f"{name} holds no samples", help=help)


def unknown_name(
    what: str, name: str, known: Iterable[str], where: str, *, help: str | None = None
) -> NetError:
    """The error for a column or array that is not there."""
    names = tuple(known)
    has = listing(names[:20]) + ", ..." * (len(names) > 20)
    return error(
        "E526",
        f"{where} has no {what} `{name}`",
        notes=[f"it has {has}" if names else f"it has no {what}s"],
        help=did_you_mean(name, names) or help,
    )


def check_columns(where: str, own: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a table that lacks columns of the run's.

    Raises:
        NetError: E526.
    """
    lacking = [name for name in known if name not in own]
    if not lacking:
        return
    spelled = ", ".join(f'"{each}"' for each in known)
    help = f"the last column is the target unless `inputs=[{spelled}]` names the inputs"
    if len(lacking) > 1:
        help = f"the run takes {listing(known, 20)}; give all of them"
    raise unknown_name("input column", lacking[0], own, where, help=help)


def unknown_class(where: str, name: str, known: Sequence[str], whose: str) -> NetError:
    """The error for a class that is none of those that `whose` names, such as "the run"."""
    classes = listing(known[:20]) + ", ..." * (len(known) > 20)
    return error(
        "E523",
        f"{where} has a class `{name}`, which {whose} does not know",
        notes=[f"the classes are {classes}"],
        help=did_you_mean(name, known) or "leave its samples out, or add the class",
    )


def unfit(message: str, help: str | None = None) -> NetError:
    """The error for preprocessing or augmentation that does not suit the data."""
    return error("E530", message, help=help)


def wrong_argument(message: str, help: str | None = None) -> NetError:
    """The error for an argument that a data set does not take."""
    return error("E532", message, help=help)


def located(path: str, folder: str, *, missing: str) -> str:
    """A path as a program gives it, relative to the program's folder.

    Args:
        path: The path.
        folder: The program's folder.
        missing: What to do where there is nothing.

    Raises:
        NetError: E001, there is nothing.
    """
    place = os.path.join(folder, os.path.expanduser(path))
    try:
        os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        raise absent(f"cannot read `{place}`: no such file or folder", place, missing) from None
    except (OSError, ValueError):  # the reader says it better
        pass
    return place


def absent(message: str, place: str, missing: str) -> NetError:
    """The error for data that are not there: where they were looked for, and what to do."""
    notes = [f"looked for at `{os.path.abspath(place)}`"]
    try:
        others = os.listdir(os.path.dirname(os.path.abspath(place)))
    except OSError:
        others = []
    name = os.path.basename(os.path.normpath(place))
    alike = [each for each in others if os.path.splitext(each)[1] == os.path.splitext(name)[1]]
    guess = did_you_mean(name, alike)
    return error(
        "E001", message, notes=notes, help=f"{guess} Otherwise, {missing}" if guess else missing
    )


def listed(folder: str) -> list[str]:
    """The names in a folder, sorted.

    Raises:
        NetError: E001, it cannot be read.
    """
    try:
        return sorted(os.listdir(folder))
    except NotADirectoryError:
        raise error(
            "E001",
            f"cannot read `{folder}`: it is a file, not a folder",
            help="name the folder that holds the data",
        ) from None
    except (OSError, ValueError):
        check_readable(folder)  # names the system's reason
        raise error("E001", f"cannot read `{folder}`: the folder cannot be listed") from None
