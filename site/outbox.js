// What a reader changes; the other attributes are BokehJS's own business.
const READERS = ["value", "value_throttled", "active", "clicks"];

// What the reader did and Python has not been told yet, in the order in which it happened.

/** Returns an empty outbox. Its entries are changes of the document and things told by name. */
export function createOutbox() {
  let entries = []; // {event} or {tell: {name, value}}

  return {
    /**
     * Keeps a change of the document. Of each attribute only the newest value is kept; what is not
     * a change of value (a click) keeps its place among the changes.
     */
    change(event) {
      if (event.kind === "ModelChanged") {
        for (let i = entries.length - 1; i >= 0 && entries[i].event?.kind === "ModelChanged"; i--) {
          const { event: older } = entries[i];
          if (older.model === event.model && older.attr === event.attr) entries.splice(i, 1);
        }
      }
      entries.push({ event });
    },

    tell(name, value) {
      entries.push({ tell: { name, value } });
    },

    /** Drops what was told by these names: Python is about to learn it in another way. */
    forget(names) {
      entries = entries.filter(({ tell }) => !names.includes(tell?.name));
    },

    /** Takes out what comes next: {tell}, {changes: [event, ...]}, or null when it is empty. */
    take() {
      if (!entries.length) return null;
      if (entries[0].tell) return entries.shift();
      const changes = [];
      while (entries[0]?.event) changes.push(entries.shift().event);
      return { changes };
    },

    /** Does again in another document, by the controls' names, what was done in the old one. */
    move(from, to) {
      const byReader = ({ kind, attr }) => kind === "MessageSent" || READERS.includes(attr);
      const moved = entries.filter(({ event }) => event && byReader(event));
      entries = entries.filter(({ tell }) => tell);
      if (!moved.length) return;
      const names = namesOf(from);
      const models = new Map([...namesOf(to)].map(([model, name]) => [name, model]));
      for (const { event } of moved) {
        const model = event.model ?? event.msg_data?.origin;
        repeat(event, models.get(names.get(model)));
      }
    },
  };
}

// A control is known by its kind, the words on it, and which of those it is.
function namesOf(document) {
  const names = new Map();
  const seen = new Map();
  for (const model of document?.all_models ?? []) {
    const plain = `${model.type} ${model.title ?? model.label ?? ""}`;
    const number = seen.get(plain) ?? 0;
    seen.set(plain, number + 1);
    names.set(model, `${plain} ${number}`);
  }
  return names;
}

function repeat(event, model) {
  if (!model) return;
  if (event.kind === "ModelChanged") model.setv({ [event.attr]: event.value });
  else if (event.msg_data?.origin) {
    const again = Object.create(Object.getPrototypeOf(event.msg_data));
    model.trigger_event(Object.assign(again, event.msg_data, { origin: null }));
  }
}
