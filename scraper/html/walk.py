"""The way through a document: every node once, in order, without recursion and without changing the tree.

Takes a first child and what is to be done at elements, gives texts to `state.run`, unless that is None. It knows
nothing of HTML: what stands below an element, if anything, is for its handler to say.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

#: What a node's `tag` is if it is text.
TEXT = "-text"

Enter = Mapping[str, Callable[[Any, Any], Any]]
Leave = Mapping[str, Callable[[Any], None]]


def walk(node: Any, state: Any, enter: Enter, leave: Leave, hidden: Collection[int] = ()) -> None:
    """From this node on, its siblings and all below: text is added to `state.run`.

    White space at a line's beginning is left out unless it is meant. `enter` has for some tags a function of (state,
    node) that gives the first child to go on with, or None; `leave` for some of these what is called when all of that
    is done. Elements in `hidden`, by their `mem_id`, go to `state.pass_hidden` instead.
    """
    run, entering_of, leaving_of = state.run, enter.get, leave.get
    path: list[tuple[Any, Callable[[Any], None] | None]] = []
    while node is not None:
        tag = node.tag
        if tag == TEXT:
            text = "" if run is None else node.text_content
            if text and (run or not text.isspace() or state.pre):
                run.append(text)
        elif hidden and node.mem_id in hidden:
            state.pass_hidden(node)
        else:
            handle, leaving = entering_of(tag), leaving_of(tag)
            child = node.first_child if handle is None else handle(state, node)
            if child is not None:
                path.append((node, leaving))
                node = child
                continue
            if leaving is not None:
                leaving(state)
        while (following := node.next) is None and path:
            node, leaving = path.pop()
            if leaving is not None:
                leaving(state)
        node = following
