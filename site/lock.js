// The lock of a part: a prediction is read out of its form, or what the form still lacks.

import { questionOf } from "./questions.js";

/**
 * Returns {prediction} from a filled form, or {field, sentence}: the first field at fault and what
 * to do about it. A prediction has part, choice, number (null where none is asked), confidence.
 */
export function readLock(form, part) {
  const { choice, number, confidence } = form.elements;
  const { number: wanted } = questionOf(part);
  const value = wanted ? number.valueAsNumber : null;
  if (!choice.value) return { field: choice[0], sentence: "Choose one of the four answers." };
  if (wanted && !(value >= wanted.low && value <= wanted.high)) {
    return { field: number, sentence: `${wanted.label} Write a number from ${wanted.low} to ${wanted.high}.` };
  }
  if (!confidence.value) return { field: confidence, sentence: "Say how sure you are." };
  return { prediction: { part, choice: choice.value, number: value, confidence: Number(confidence.value) } };
}

/** Marks the field at fault, and no other, and takes the reader there. */
export function showFault(form, field) {
  for (const element of form.elements) element.toggleAttribute("aria-invalid", false);
  if (!field) return;
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

/** Locks with Enter, as a form would; a sandboxed frame may submit none. */
export function whenEntered(lock) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".lock input")) return;
    event.preventDefault();
    lock(event.target);
  });
}
