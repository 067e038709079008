// What a screen reader reads out: every new message once. The visible list is no live region, since
// it also changes for what nobody needs to hear (a state, a button that is settled).

const KEPT = 3;
const box = document.getElementById("spoken");

export function speak(text) {
  const line = document.createElement("p");
  line.textContent = text;
  box.append(line);
  while (box.children.length > KEPT) box.firstChild.remove();
}
