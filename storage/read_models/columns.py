"""Names of columns for the fields of items, so that no database and no spreadsheet takes two for one. Pure."""

from collections.abc import Collection, Iterable


def column_names(fields: Iterable[str], *, fixed: Collection[str]) -> dict[str, str]:
    """The column of each field. SQL and spreadsheets cannot tell `Title` from `title`, so no two may differ so.

    A field that is named as one of the `fixed` columns is `data.` and its name.
    """
    names: dict[str, str] = {}
    taken = set(fixed)
    for field in fields:
        name = wanted = f"data.{field}" if field.casefold() in ("", *fixed) else field
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name.casefold())
        names[field] = name
    return names
