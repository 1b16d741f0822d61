/** Help: all keys, made from the table of commands. */

import { allowed, GROUPS, keyName } from "./commands.ts";
import { element } from "./dom.ts";
import type { Viewer } from "./viewer.ts";

export function helpDialog(viewer: Viewer): HTMLDialogElement {
  const { texts } = viewer;
  const title = element("h2", { id: "help-title" }, texts.help ?? "");
  const close = element("button", { type: "button" }, texts.close ?? "");
  const dialog = element("dialog", { class: "help", "aria-labelledby": "help-title" });
  const columns = GROUPS.map((group) => {
    const list = element("dl");
    for (const command of group.filter((c) => allowed(c, viewer))) {
      const keys = command.keys.map((key) => element("kbd", {}, keyName(key)));
      list.append(element("dt", {}, ...keys), element("dd", {}, texts[command.name] ?? command.name));
    }
    return list;
  });
  const mouse = element("p", {}, texts.help_mouse ?? "");
  dialog.append(element("header", {}, title, close), element("div", { class: "columns" }, ...columns), mouse);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "?") dialog.close();
  });
  return dialog;
}
