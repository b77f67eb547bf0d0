// What each part asks, as the build has written it into the page (fleetlab.missions.questions).

const asked = JSON.parse(document.getElementById("fleetlab-questions").textContent);

export const QUESTIONS = asked.parts;
export const CONFIDENCES = asked.confidences;

export const questionOf = (part) => QUESTIONS.find((question) => question.part === part);

/** Returns the words of a choice on this track, or undefined for one that was never offered. */
export function textOf(part, choice) {
  const question = questionOf(part);
  const own = question?.words[document.documentElement.dataset.track]?.[choice];
  return own ?? question?.options.find(([value]) => value === choice)?.[1];
}

/** Returns the guessed number in words ("3 times as long"), empty where none was asked. */
export function guessOf({ part, number }) {
  const { number: wanted } = questionOf(part);
  return wanted ? `${number} ${wanted.unit}`.replace(" %", "\u00a0%") : "";
}

/** Returns how sure the reader was, in words. */
export const surenessOf = ({ confidence }) => CONFIDENCES[confidence - 1];
