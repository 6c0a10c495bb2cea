"""What would help where nothing was written: the events that there are, their keys, and a recipe to paste."""

from __future__ import annotations

from typing import Any

from translate.cli.printing import print_list, printable


def print_advice(advice: dict[str, Any]) -> None:
    """Print the commonest events, the keys that look like ids of items, and a recipe that would write something."""
    if not advice.get("names"):
        return
    print_list("the commonest events", advice["names"], lambda entry: entry["name"])
    if "item_keys" in advice:
        looked_at = f"of the first {advice['looked_at']:,} events"
        print_list(f"keys that look like ids of items, {looked_at}", advice["item_keys"], _key)
        if advice["shipped"]:
            print(
                f"the shipped recipe {advice['shipped']} would write some of them: say --recipe {advice['shipped']}"
            )
        elif not advice["item_keys"]:
            print(f"no key {looked_at} looks like the id of an item: translate inspect lists all of them")
    if advice.get("recipe"):
        print(
            "a recipe that would write some of them; correct it, save it as shop.toml, and say --recipe shop.toml:\n"
        )
        print("\n".join(f"    {printable(line)}".rstrip() for line in advice["recipe"].splitlines()))
    print()


def _key(entry: dict[str, Any]) -> str:
    return f"{entry['key']}{' (a guess, by its values)' if entry['guess'] else ''}"
