// BokehJS draws widgets in shadow trees and leaves some of them without a name that a screen
// reader can say. This gives them the one that a sighted reader sees beside them.

/** Names the sliders, choices and spin buttons of every slot; naming one twice changes nothing. */
export function nameControls() {
  for (const slot of document.querySelectorAll(".slot")) name(slot);
}

function name(place) {
  for (const host of place.querySelectorAll("*")) {
    if (!host.shadowRoot) continue;
    if (host.classList.contains("bk-RadioGroup")) nameGroup(host);
    if (host.classList.contains("bk-Slider")) nameSlider(host);
    for (const button of host.shadowRoot.querySelectorAll(".bk-spin-btn")) {
      set(button, "aria-label", button.classList.contains("bk-spin-btn-up") ? "one more" : "one less");
    }
    // A picture answers no key: what it shows is asked for below it, in the queue and the table.
    for (const layer of host.shadowRoot.querySelectorAll(".bk-events")) set(layer, "tabindex", "-1");
    name(host.shadowRoot);
  }
}

function nameGroup(host) {
  set(host, "role", "radiogroup");
  set(host, "aria-label", textOf(host.previousElementSibling) || "choices");
}

function nameSlider(host) {
  const handle = host.shadowRoot.querySelector(".noUi-handle");
  const title = host.shadowRoot.querySelector(".bk-slider-title")?.textContent ?? "";
  if (!handle) return;
  const [name] = nameAndValue(title);
  if (name) set(handle, "aria-label", name);
  else { // a slider of words has its title and its word in a line of its own above it
    const [above, word] = nameAndValue(textOf(host.previousElementSibling));
    set(handle, "aria-label", above);
    set(handle, "aria-valuetext", word);
  }
  const shown = textOf(host.nextElementSibling); // the clock beside the slider of simulated time
  if (/^day /.test(shown)) set(handle, "aria-valuetext", shown);
}

// "Fabric: longer across blocks, %: 30" is a name, and behind the last colon a value.
function nameAndValue(text) {
  const colon = text.lastIndexOf(":");
  return colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1).trim()];
}

function textOf(host) {
  const root = host?.shadowRoot;
  if (!root) return "";
  const texts = [...root.children].filter(({ tagName }) => !["STYLE", "LINK"].includes(tagName));
  return texts.map(({ textContent }) => textContent).join(" ").trim();
}

function set(element, attribute, value) {
  if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
}
