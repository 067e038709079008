// Two editors on one card: both texts side by side, and a choice for each field.

/** Resolves with name → "mine" | "theirs" once the editor has chosen. */
export function ask(form, told, names, mine) {
  const place = form.querySelector("[data-conflict]");
  const panel = make("section", "clash");
  panel.setAttribute("role", "alertdialog");
  panel.setAttribute("aria-label", "两个人改了同一处");
  const head = make("h3", "", `${told.who} ${told.at} 也改了${names.map((name) => told.labels[name]).join("、")}`);
  panel.append(head, make("p", "soft", "您写的还在，没有存，也没有盖掉对方的。每一处选用谁的，再保存。"));
  for (const name of names) panel.append(choice(name, told, mine));
  const button = make("button", "button button_main", "按选的保存");
  button.type = "button";
  panel.append(button);
  place.replaceChildren(panel);
  panel.scrollIntoView({ block: "nearest" });
  panel.querySelector("input").focus({ preventScroll: true });
  return new Promise((resolve) => {
    button.addEventListener("click", () => {
      const chosen = {};
      for (const name of names) {
        chosen[name] = panel.querySelector(`input[name="clash-${name}"]:checked`).value;
      }
      place.replaceChildren();
      resolve(chosen);
    });
  });
}

function choice(name, told, mine) {
  const group = make("fieldset", "clash__field");
  group.append(make("legend", "", told.labels[name]));
  for (const [whose, title, text] of [
    ["theirs", `${told.who}写的`, told.theirs[name]], ["mine", "我写的", mine[name]],
  ]) {
    const label = make("label", "clash__one");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = `clash-${name}`;
    radio.value = whose;
    radio.checked = whose === "theirs";
    label.append(radio, make("b", "", title), make("span", "clash__text", text || "（空）"));
    group.append(label);
  }
  // Radio buttons of the panel are no fields of the form that is saved.
  for (const radio of group.querySelectorAll("input")) radio.setAttribute("form", "");
  return group;
}

function make(tag, name, text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}
