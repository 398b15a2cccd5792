// What an audit of accessibility finds in the page as it is: a list of sentences, empty when all is well.
() => {
    const found = [];
    const shown = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest("dialog:not([open])");
    const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
    const spell = (node) =>
        `<${node.localName} class="${node.getAttribute("class") ?? ""}"> ${node.textContent.trim().slice(0, 40)}`;

    const nameOf = (node) =>
        node.getAttribute("aria-label") ||
        (node.getAttribute("aria-labelledby") ?? "")
            .split(" ")
            .map((id) => document.getElementById(id)?.textContent ?? "")
            .join("") ||
        [...(node.labels ?? [])].map((label) => label.textContent).join("") ||
        (node.matches("input, select, textarea") ? "" : node.textContent.trim());
    for (const node of all(
        "a[href], button, input, select, textarea, summary, dialog, nav, section, [role=progressbar], [role=region]",
    )) {
        if (!nameOf(node)) found.push(`no name: ${spell(node)}`);
    }

    let level = 0;
    for (const node of all("h1, h2, h3, h4")) {
        const next = Number(node.localName[1]);
        if (next > level + 1) found.push(`heading skips from h${level}: ${spell(node)}`);
        level = next;
    }
    for (const [selector, many] of [
        ["h1", 1],
        ["main", 1],
        ["header", 1],
        ["nav", 1],
    ]) {
        if (all(selector).length !== many) found.push(`${all(selector).length} of ${selector}`);
    }

    const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) found.push(`id twice: ${id}`);
    for (const node of document.querySelectorAll(
        "[aria-describedby], [aria-labelledby], [aria-controls], label[for]",
    )) {
        for (const name of ["aria-describedby", "aria-labelledby", "aria-controls", "for"]) {
            for (const id of (node.getAttribute(name) ?? "").split(" ").filter(Boolean)) {
                if (!document.getElementById(id)) found.push(`${name} leads nowhere: ${id}`);
            }
        }
    }
    for (const node of all("table")) {
        if (!node.caption || !node.tHead) found.push(`a table without caption or head: ${spell(node)}`);
    }
    for (const node of all("img")) if (!node.hasAttribute("alt")) found.push("an image without alt");
    for (const node of document.querySelectorAll("[tabindex]"))
        if (node.tabIndex > 0) found.push(`tabindex above 0: ${spell(node)}`);
    for (const node of document.querySelectorAll("[style]"))
        if (/url|expression/.test(node.getAttribute("style"))) found.push(`style: ${spell(node)}`);
    for (const node of all("a[href], button, select, input:not([type=checkbox])")) {
        const box = node.getBoundingClientRect();
        if (box.height && box.height < 18)
            found.push(`too small to hit (${Math.round(box.height)} px): ${spell(node)}`);
    }

    const parse = (colour) => {
        const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
        return colour.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
    };
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((part) =>
            (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
        );
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const groundOf = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour[3] > 0.99) return colour;
        }
        return [255, 255, 255, 1];
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const node = texts.currentNode.parentElement;
        if (
            !texts.currentNode.data.trim() ||
            !shown(node) ||
            node.closest(".unseen, .skip, noscript, :disabled, .plot")
        )
            continue;
        const style = getComputedStyle(node);
        const [ink, ground] = [light(parse(style.color)), light(groundOf(node))];
        const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
        const isLarge =
            parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
        if (contrast < (isLarge ? 3 : 4.5)) found.push(`contrast ${contrast.toFixed(2)}: ${spell(node)}`);
    }
    return [...new Set(found)];
};
