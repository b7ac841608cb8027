"use strict";

// Turns rich text, as word processors and browsers put it on the clipboard, into Markdown. `richText(html, taken)` returns
// the text, and by kind the number of things that Markdown has no form for; null where there is nothing but plain words.
// `taken` are the names of the notes that the text around has already.
const richText = (() => {
  const BLOCKS = "p, div, li, td, th, h1, h2, h3, h4, h5, h6, blockquote, pre, dt, dd, caption, figcaption, section";
  const HEADINGS = "h1, h2, h3, h4, h5, h6";
  const INLINE = "span, font, b, strong, i, em, cite, dfn, var, u, s, strike, del, ins, big, small, mark, abbr, q, center";
  // An attribute of the name `style` would be refused by the policy of the site.
  const style = (element) => element.getAttribute("data-style") ?? "";
  const words = (node) => node.textContent.replace(/[\s\u200b]+/g, " ").trim();
  const unwrap = (element) => element.replaceWith(...element.childNodes);

  function parse(html) {
    const tags = /<[a-z][^>]*>/gi;
    const plain = html.replace(/<(style|script|xml)\b[\s\S]*?<\/\1>/gi, "").replace(/^[\s\S]*?(?=<(?:html|body)\b)/i, "");
    return new DOMParser().parseFromString(
      plain.replace(tags, (tag) => tag.replace(/\sstyle(?=\s*=)/i, " data-style").replace(/\son\w+(?=\s*=)/gi, " data-on")),
      "text/html",
    ).body;
  }

  // Counts what is left out, and removes it.
  function leaveOut(body, lost, kind, selector) {
    for (const element of body.querySelectorAll(selector)) {
      if (!body.contains(element)) continue;
      lost[kind] = (lost[kind] ?? 0) + 1;
      element.remove();
    }
  }

  function withoutWhatHasNoForm(body, lost) {
    const comments = document.createTreeWalker(body, NodeFilter.SHOW_COMMENT);
    const found = [];
    while (comments.nextNode()) found.push(comments.currentNode);
    found.forEach((comment) => comment.remove());
    body.querySelectorAll("[data-style*='display:none'], [data-style*='mso-hide:all'], [hidden], template, noscript, head, .mw-editsection, [data-style*='mso-special-character:comment']:not(:has(a))")
      .forEach((element) => element.remove());
    const comment = ".msocomanchor, a[href*='#cmnt'], [data-style*='mso-comment-continuation']";
    body.querySelectorAll("[data-style*='mso-element:comment-list']").forEach((list) => list.remove());
    for (const link of body.querySelectorAll("a[id^=cmnt]:not([id^=cmnt_ref])")) (link.closest("div, p") ?? link).remove();
    leaveOut(body, lost, "comments", comment);
    leaveOut(body, lost, "deletions", "del[cite], del[datetime], .msoDel");
    leaveOut(body, lost, "pictures", "img, svg, picture, canvas, v\\:shape, v\\:imagedata, object");
    leaveOut(body, lost, "media", "video, audio, iframe, embed");
    leaveOut(body, lost, "formulas", "math, m\\:omath");
    lost.colours = severalColours(body) ? 1 : 0;
    lost.underlining = [...body.querySelectorAll("u, [data-style*='underline']")].filter(
      (each) => words(each) && !each.closest("a") && !each.querySelector("a") && !/text-underline:\s*none/.test(style(each)),
    ).length;
  }

  const textNodes = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found;
  };

  // Browsers give every passage its colour: it means something only where there is more than one.
  function severalColours(body) {
    const NEUTRAL = /^(?:windowtext|auto|inherit|initial|transparent|none|black|white|#0{3,6}|#f{3,6}|rgba\(.*, ?0\))$/;
    const isNeutral = (colour) => {
      const parts = colour.match(/^rgb\((\d+), ?(\d+), ?(\d+)\)$/)?.slice(1).map(Number);
      return NEUTRAL.test(colour) || (parts && Math.max(...parts) - Math.min(...parts) < 16); // a grey
    };
    const inks = new Set();
    const papers = new Set();
    for (const node of textNodes(body)) {
      if (!node.data.trim() || node.parentElement.closest(`a, ${HEADINGS}, [role=heading], th, sup`)) continue;
      const of = (pattern, attribute) => {
        for (let each = node.parentElement; each && each !== body.parentElement; each = each.parentElement) {
          const said = style(each).match(pattern)?.[1] ?? (attribute && each.getAttribute(attribute));
          if (said) return isNeutral(said.trim().toLowerCase()) ? "" : said.trim().toLowerCase();
          if (attribute === null && each.localName === "mark") return "marked";
        }
        return "";
      };
      inks.add(of(/(?<![\w-])color:\s*([^;]+)/i, "color"));
      papers.add(of(/(?:background(?:-color)?|mso-highlight):\s*([^;]+)/i, null));
    }
    return inks.size > 1 || papers.size > 1;
  }

  // Footnotes and endnotes: a short link to a place in the same text that holds the note.
  function takeNotesOut(body, lost, taken) {
    const MARKER = /^[[(\s]*(?:(?:note|nb) )?(?:\d{1,4}|[a-z]{1,2}|[ivxlc]{1,6}|[*†‡§¶^↑↩︎]+)[\])\s]*$/i;
    const places = new Map();
    for (const each of body.querySelectorAll("[id], a[name]")) {
      for (const name of [each.id, each.getAttribute("name")]) if (name && !places.has(name)) places.set(name, each);
    }
    const names = new Map();
    const notes = [];
    for (const link of body.querySelectorAll("a[href*='#']")) {
      const text = words(link);
      const isRaised = link.closest("sup") || link.querySelector("sup") || /^[[(]/.test(text) || /super/.test(style(link));
      if (!body.contains(link) || !MARKER.test(text) || !(isRaised || /note|ftn|edn|fn/i.test(link.getAttribute("href")))) continue;
      const raised = link.closest("sup");
      const marker = raised && words(raised) === text ? raised : link;
      const target = places.get(link.getAttribute("href").split("#")[1]);
      const held = target && [target.closest("li, dd, div[id], aside"), target.closest("p, tr")].find(
        (each) => each && each !== body && !each.contains(link) && !each.querySelector(`${HEADINGS}, table`),
      );
      if (!held && !names.has(target)) {
        lost.notes = (lost.notes ?? 0) + 1;
        marker.remove();
        continue;
      }
      if (!names.has(target)) {
        let name = 1;
        while (taken.has(String(name))) name += 1;
        taken.add(String(name));
        names.set(target, String(name));
        held.remove();
        held.querySelectorAll(".mw-cite-backlink").forEach((each) => each.remove());
        for (const back of held.querySelectorAll("a[href*='#']")) {
          if (MARKER.test(words(back)) || !words(back)) (back.closest("sup") ?? back).remove();
        }
        notes.push({name: String(name), held});
      }
      const here = document.createElement("code");
      here.dataset.note = names.get(target);
      here.textContent = names.get(target);
      marker.replaceWith(here);
    }
    while (notes.length && body.lastElementChild?.matches("hr, div:not(:has(*))")) body.lastElementChild.remove();
    for (const each of body.querySelectorAll("div, section, ol, ul")) {
      if (!words(each) && (each.querySelector("hr") || !each.children.length)) each.remove();
    }
    return notes;
  }

  // Word writes each item of a list as a paragraph, with its level among the styles.
  function makeLists(body) {
    const LEVEL = /mso-list:\s*(?!none|skip)\S+\s+level(\d)/i;
    const item = (element) => {
      const level = Number(element?.matches?.("p") && style(element).match(LEVEL)?.[1]) || Number(element?.dataset?.ariaLevel);
      return level || 0;
    };
    for (const wrapper of body.querySelectorAll(".ListContainerWrapper")) { // of Word in a browser: a list an item
      const list = wrapper.querySelector("ul, ol");
      for (const each of wrapper.querySelectorAll("li")) each.dataset.isOrdered = String(list?.localName === "ol");
      wrapper.replaceWith(...wrapper.querySelectorAll("li"));
    }
    const isOrdered = (element) => element.dataset.isOrdered === "true" ||
      /^\s*\(?(?:\d+|[a-z]|[ivxlcdm]+)[.)]/i.test(element.querySelector("[data-style*='mso-list:Ignore' i]")?.textContent ?? "");
    for (const first of body.querySelectorAll("p, li[data-aria-level]")) {
      if (!body.contains(first) || !item(first) || first.closest("ul, ol")) continue;
      const run = [first];
      while (item(run.at(-1).nextElementSibling)) run.push(run.at(-1).nextElementSibling);
      const place = document.createComment("");
      first.before(place);
      const lists = []; // of the levels above, each with its list
      for (const each of run) {
        const level = item(each);
        while (lists.length && lists.at(-1).level > level) lists.pop();
        const name = isOrdered(each) ? "ol" : "ul";
        if (!lists.length || lists.at(-1).level < level || lists.at(-1).list.localName !== name) {
          if (lists.at(-1)?.level === level) lists.pop();
          const list = document.createElement(name);
          const above = lists.at(-1)?.list.lastElementChild;
          if (above) above.append(list);
          else place.before(list);
          lists.push({level, list});
        }
        const made = document.createElement("li");
        made.append(...each.childNodes);
        lists.at(-1).list.append(made);
        each.remove();
      }
      place.remove();
    }
    body.querySelectorAll("[data-style*='mso-list:Ignore' i]").forEach((marker) => marker.remove());
    for (const list of body.querySelectorAll(":is(ul, ol) > :is(ul, ol)")) list.previousElementSibling?.append(list);
    for (const paragraph of body.querySelectorAll("li > :is(p, div):only-of-type")) {
      if (!paragraph.previousSibling?.textContent.trim()) unwrap(paragraph);
    }
  }

  // Paragraphs that are headings or quotations by their style, or quotations because they are indented.
  function nameBlocks(body) {
    const become = (element, name) => {
      const made = document.createElement(name);
      element.replaceWith(made);
      if (name === "blockquote") made.append(element);
      else made.append(...element.childNodes);
    };
    const points = (said) => {
      const [, number, unit] = said?.match(/([\d.]+)\s*(pt|px|in|cm|mm|em)/) ?? [];
      return number ? Number(number) * {pt: 1, px: 0.75, in: 72, cm: 28.35, mm: 2.835, em: 12}[unit] : 0;
    };
    for (const element of body.querySelectorAll("p, div.MsoTitle")) {
      const kind = `${element.className} ${element.getAttribute("role") ?? ""}`;
      const level = kind.match(/\bMsoHeading(\d)\b/)?.[1] ?? (/\bheading\b/.test(kind) && element.getAttribute("aria-level"));
      const shorthand = style(element).match(/(?:^|[;\s])margin:\s*\S+\s+\S+\s+\S+\s+([^;\s]+)/)?.[1];
      const indent = points(style(element).match(/margin-left:\s*([^;]+)/)?.[1] ?? shorthand);
      const hangs = /text-indent:\s*-/.test(style(element));
      if (/\bMsoTitle\b/.test(kind)) become(element, "h1");
      else if (level) become(element, `h${level}`);
      else if (element.closest("li, td, th, blockquote, dd") || !words(element)) continue;
      else if (/Quote|quotations/i.test(kind) || (indent >= 24 && !hangs)) become(element, "blockquote");
    }
    for (const quote of body.querySelectorAll("blockquote + blockquote")) {
      quote.previousElementSibling.append(...quote.childNodes);
      quote.remove();
    }
    const top = body.querySelector("h1") ? 1 : 0; // the title of the page is the only one of the first level
    for (const heading of body.querySelectorAll(HEADINGS)) {
      if (!words(heading)) heading.remove();
      else {
        heading.querySelectorAll("br").forEach((each) => each.replaceWith(" "));
        become(heading, `h${Math.min(6, Number(heading.localName[1]) + top)}`);
      }
    }
  }

  const RAISED = {0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹", "+": "⁺", "−": "⁻", "-": "⁻"};
  const LOWERED = {0: "₀", 1: "₁", 2: "₂", 3: "₃", 4: "₄", 5: "₅", 6: "₆", 7: "₇", 8: "₈", 9: "₉"};

  function raiseAndLower(body, lost) {
    for (const [selector, signs] of [["sup, [data-style*='vertical-align:super']", RAISED], ["sub, [data-style*='vertical-align:sub']", LOWERED]]) {
      for (const element of body.querySelectorAll(selector)) {
        if (element.querySelector("a, [data-note]")) continue;
        const text = words(element);
        if ([...text].every((sign) => sign in signs)) element.textContent = [...text].map((sign) => signs[sign]).join("");
        else if (!/^(?:st|nd|rd|th|e|er|re)$/.test(text)) lost.raised = (lost.raised ?? 0) + 1;
      }
    }
  }

  // Whatever says that words are bold, italic or struck out becomes one element about all of them.
  function emphasize(body) {
    const MARKS = [
      ["strong", "b, strong", /(?<![\w-])font-weight:\s*(?:bold|[6-9]00)/i, /(?<![\w-])font-weight:\s*(?:normal|[1-5]00)/i],
      ["em", "i, em, cite, dfn, var", /(?<![\w-])font-style:\s*(?:italic|oblique)/i, /(?<![\w-])font-style:\s*normal/i],
      ["s", "s, strike, del", /text-decoration[^;]*line-through/i, /(?!)/],
    ];
    const marksOf = (node) => MARKS.filter(([, tags, yes, no]) => {
      for (let each = node.parentElement; each && !each.matches(BLOCKS); each = each.parentElement) {
        if (no.test(style(each))) return false;
        if (yes.test(style(each)) || each.matches(tags)) return true;
      }
      return false;
    }).map(([name]) => name);
    const marked = textNodes(body)
      .filter((node) => !node.parentElement.closest(`pre, code, th, ${HEADINGS}`))
      .map((node) => ({node, marks: marksOf(node), block: node.parentElement.closest(BLOCKS)}));
    const length = (index, name) => { // of the passage that is marked so: the longer one goes around the shorter one
      const isIn = (other) => marked[other]?.block === marked[index].block && marked[other].marks.includes(name);
      let [first, last] = [index, index];
      while (isIn(first - 1)) first -= 1;
      while (isIn(last + 1)) last += 1;
      return last - first;
    };
    const nested = marked.map(({node, marks}, index) => ({node, marks: marks.toSorted((a, b) => length(index, a) - length(index, b))}));
    for (const {node, marks} of nested) {
      let inner = node;
      for (const name of marks) {
        const wrapper = document.createElement(name);
        inner.replaceWith(wrapper);
        wrapper.append(inner);
        wrapper.dataset.made = "";
        inner = wrapper;
      }
    }
    for (const element of body.querySelectorAll(INLINE)) if (!("made" in element.dataset)) unwrap(element);
    for (const element of body.querySelectorAll("[data-made]")) {
      let next;
      while ((next = element.nextSibling) && "made" in (next.dataset ?? {}) && next.localName === element.localName) {
        element.append(...next.childNodes);
        next.remove();
      }
    }
    body.normalize();
  }

  function mendLinks(body) {
    for (const link of body.querySelectorAll("a[href]")) {
      let address = link.getAttribute("href").trim();
      const sought = address.match(/^https:\/\/www\.google\.\w+(?:\.\w+)?\/url\?(.*)$/);
      if (sought) address = new URLSearchParams(sought[1]).get("q") ?? address;
      if (address.startsWith(`${location.origin}/`)) address = address.slice(location.origin.length);
      link.removeAttribute("title");
      const isGood = /^(?:https?:\/\/|mailto:|tel:|ftp:\/\/|\/(?!\/))/i.test(address);
      if (!isGood || !words(link)) unwrap(link);
      else link.setAttribute("href", address.replace(/[()<>\s]/g, (sign) => encodeURIComponent(sign).replace("(", "%28").replace(")", "%29")));
    }
  }

  const service = new TurndownService({headingStyle: "atx", hr: "---", bulletListMarker: "-", codeBlockStyle: "fenced", emDelimiter: "*", br: "\\"});
  const escape = service.escape.bind(service);
  service.escape = (text) => text.split(/((?:https?:\/\/|www\.)[^\s<>]+)/).map((part, index) =>
    index % 2 ? part : escape(part).replace(/<(?=[a-z/!?])/gi, "\\<").replace(/^\|/, "\\|")).join("");
  service.addRule("note", {filter: (node) => "note" in node.dataset, replacement: (content, node) => `[^${node.dataset.note}]`});
  service.addRule("struck", {filter: "s", replacement: (content) => `~~${content}~~`});
  service.addRule("address", {
    filter: (node) => node.localName === "a" && node.getAttribute("href") === node.textContent.trim(),
    replacement: (content, node) => node.getAttribute("href"),
  });
  service.addRule("term", {filter: "dt", replacement: (content) => `\n\n**${content.trim()}**\n\n`});
  service.addRule("item", {
    filter: "li",
    replacement: (content, node) => {
      const list = node.parentElement;
      const number = Number(list.getAttribute("start") || 1) + [...list.children].indexOf(node);
      const marker = list.localName === "ol" ? `${number}. ` : "- ";
      const indented = content.trim().replace(/\n+(?=(?:- |\d+\. ))/g, "\n").replace(/\n(?!\n|$)/g, `\n${" ".repeat(marker.length)}`);
      return `${marker}${indented}${node.nextElementSibling ? "\n" : ""}`;
    },
  });
  service.addRule("code", {filter: "pre", replacement: (content, node) => `\n\n\`\`\`\n${node.textContent.replace(/\n$/, "")}\n\`\`\`\n\n`});
  service.addRule("table", {filter: "table", replacement: (content, node) => `\n\n${tableText(node)}\n\n`});

  // Its first row is the header; a cell that spans several is followed by empty ones.
  function tableText(table) {
    const grid = [];
    [...table.rows].forEach((row, y) => {
      grid[y] ??= [];
      for (const cell of row.cells) {
        let x = 0;
        while (grid[y][x] !== undefined) x += 1;
        const text = markdown(cell).replace(/\n+/g, "<br>").replace(/\\?<br>/g, "<br>").replace(/(?<!\\)\|/g, "\\|");
        for (let down = 0; down < Math.min(cell.rowSpan || 1, table.rows.length - y); down++) {
          grid[y + down] ??= [];
          for (let across = 0; across < Math.min(cell.colSpan, 100); across++) grid[y + down][x + across] = down || across ? "" : text;
        }
      }
    });
    const rows = grid.filter((cells) => cells.some(Boolean));
    const width = Math.max(...rows.map((cells) => cells.length));
    const line = (cells) => `| ${Array.from({length: width}, (cell, x) => cells[x] ?? "").join(" | ")} |`;
    const [header, ...others] = rows;
    if (!header) return "";
    const caption = table.caption ? `Table: ${markdown(table.caption).replace(/\n+/g, " ")}\n\n` : "";
    return caption + [line(header), line(Array(width).fill("---")), ...others.map(line)].join("\n");
  }

  // Tables that hold others, or a single cell, only put things beside each other.
  function unfoldLayout(body, lost) {
    for (const table of body.querySelectorAll("table")) {
      const isLayout = table.querySelector("table") || [...table.rows].every((row) => row.cells.length < 2);
      if (isLayout) {
        for (const part of table.querySelectorAll(":scope > :is(tbody, thead, tfoot) > tr > :is(td, th)")) {
          const block = document.createElement("div");
          block.append(...part.childNodes);
          table.before(block);
        }
        table.remove();
      } else lost.cells = (lost.cells ?? 0) + [...table.querySelectorAll("td, th")].filter((cell) => cell.colSpan > 1 || cell.rowSpan > 1).length;
    }
  }

  const TIDY = [
    [/[\u200b\ufeff]/g, ""],
    [/(?<![\d«])\u00a0(?![\d»–—])/g, " "], // what keeps a number and its unit together stays
    [/\\\n([ \t>]*)(?:\\\n[ \t>]*)+/g, "\n$1\n$1"],
    [/\\\n(?=[ \t]*(?:\n|$))|\\$/g, "\n"],
    [/[ \t]+$/gm, ""],
    [/\n{3,}/g, "\n\n"],
    // What was already written for this site stays what it is.
    [/\\\[\\\[[^\n]*?\\\]\\\]|\\\[@[^\n]*?\\\]/g, (found) => found.replace(/\\([^A-Za-z0-9\s])/g, "$1")],
  ];

  function markdown(element) {
    const parts = service.turndown(element).split(/(^```$[\s\S]*?^```$)/m);
    const tidy = (text) => TIDY.reduce((found, [pattern, put]) => found.replace(pattern, put), text);
    return parts.map((part, index) => (index % 2 ? part : tidy(part))).join("").trim();
  }

  return (html, taken) => {
    const body = parse(html);
    const lost = {};
    const isCode = body.children.length === 1 && body.firstElementChild.localName === "pre";
    body.querySelectorAll(".Apple-converted-space").forEach((each) => each.replaceWith(" "));
    withoutWhatHasNoForm(body, lost);
    const notes = takeNotesOut(body, lost, taken);
    for (const part of [body, ...notes.map(({held}) => held)]) {
      makeLists(part);
      unfoldLayout(part, lost);
      nameBlocks(part);
      raiseAndLower(part, lost);
      mendLinks(part);
      emphasize(part);
    }
    const counted = Object.fromEntries(Object.entries(lost).filter(([, number]) => number));
    const isRich = body.querySelector(`${HEADINGS}, li, a[href], strong, em, s, table, blockquote, pre, hr, code, dt`);
    const paragraphs = [...body.querySelectorAll("p, div")].filter((each) => words(each)).length;
    if (isCode || (!isRich && paragraphs < 2 && !Object.keys(counted).length)) return null;
    const told = notes.map(({name, held}) => `[^${name}]: ${markdown(held).replace(/\n(?=[^\n])/g, "\n    ")}`);
    return {text: [markdown(body), ...told].filter(Boolean).join("\n\n"), lost: counted};
  };
})();
