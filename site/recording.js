// A recording: the moments of a part's default run that the build has kept (fleetlab/app/moments.py),
// played by the part's own clock where there is no Python to ask.

const PACE_MS = 300; // from one moment to the next; nothing glides in between, so nothing moves

/**
 * Lets the clock of an opening that is drawn play the recording, which is fetched at the first press.
 *
 * `document` is BokehJS's, drawn in `look`; `change` is given every change of it to make; `tell`
 * writes as if Python had told it. `before` is the recording whose place this one takes: that of
 * the same part goes on where it was. Returns {here, close()}.
 */
export function openRecording({ opening, document, look, change, tell, before }) {
  const { track, part, count, shown } = opening.moments;
  const [play, step, scrub] = ["Play", "Step", "Simulated time"].map((name) => controlOf(document, name));
  const slot = globalThis.document.getElementById(`part${part}-transport`);
  const here = { stem: opening.stem, moment: shown, playing: false };
  let file = null;
  let timer = 0;
  let open = true;

  // Each moment is whole, so any of them can follow any other; the newest that was asked for is drawn.
  async function show(moment) {
    here.moment = moment;
    try {
      file = await (file ?? opening.loadMoments()); // in no event of the control's own
    } catch (error) {
      here.moment = shown;
      pause();
      set([scrub, "value", shown]);
      tell("notice", error.message);
      return;
    }
    if (!open) return;
    set(...changesAt(file, here.moment, look), [scrub, "value", here.moment]);
    say(textsAt(file, here.moment));
  }

  function begin() {
    here.playing = true;
    set([play, "label", "Pause"]);
    tick();
  }

  function pause() {
    here.playing = false;
    clearTimeout(timer);
    set([play, "label", "Play"]);
    say({});
  }

  async function tick() {
    clearTimeout(timer);
    if (slot.offsetParent === null) return pause(); // the reader has left the part
    await show(here.moment < count - 1 ? here.moment + 1 : 0);
    if (!open || !here.playing) return;
    if (here.moment < count - 1) timer = setTimeout(tick, PACE_MS);
    else pause();
  }

  const say = (texts) => tell("frame", { track, part, ...texts, playing: here.playing });

  function set(...changes) {
    const events = changes.map(([{ id }, attr, value]) => ({ kind: "ModelChanged", model: { id }, attr, new: value }));
    change(() => document.apply_json_patch({ events }));
  }

  document.on_change((event) => {
    if (!open || event.sync === false) return; // what is set here
    const pressed = event.kind === "MessageSent" ? event.msg_data?.origin : null;
    if (pressed === play) here.playing ? pause() : begin();
    else if (pressed === step) show(Math.min(here.moment + 1, count - 1));
    else if (event.model === scrub && event.attr === "value") show(event.value);
  }, false);

  set([scrub, "value", shown], [scrub, "end", count - 1]); // the slider counts in moments
  say({}); // and is named anew
  for (const mark of ["inert", "data-asleep"]) slot.removeAttribute(mark);
  if (before?.here.stem === here.stem && before.here.moment !== shown) show(before.here.moment);
  if (before?.here.stem === here.stem && before.here.playing) begin();

  return {
    here,
    close() {
      open = false;
      clearTimeout(timer);
    },
  };
}

function controlOf(document, name) {
  return [...document.all_models].find(({ label, title }) => (label ?? title) === name);
}

// What is recorded is a table of values, of which `at` names by moment the rows; a look has its own.
const rowsAt = ({ values, looks, at }, moment, look = 0) => at[moment].map((row) => values[looks[look]][row]);

function textsAt({ texts }, moment) {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, rowsAt(text, moment)[0]]));
}

function changesAt({ models, columns, looks }, moment, look) {
  const own = looks.indexOf(look);
  const changes = [];
  for (const [id, attributes] of Object.entries(models)) {
    for (const [name, attribute] of Object.entries(attributes)) {
      changes.push([{ id }, name, rowsAt(attribute, moment, own)[0]]);
    }
  }
  for (const [id, source] of Object.entries(columns)) {
    const entries = Object.entries(source).map(([name, column]) => [name, rowsAt(column, moment, own)]);
    changes.push([{ id }, "data", { type: "map", entries }]);
  }
  return changes;
}
