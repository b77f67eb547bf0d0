// Where the site's files come from: the network, or, in the offline edition, scripts that carry
// them, since a page that was opened from a disk may load scripts and fetch nothing.

const SECONDS = 1000;
const carried = new Map(); // file: what to call with its text in base64
export const offline = document.documentElement.dataset.edition === "offline";

globalThis.fleetlabFile = (file, text) => carried.get(file)?.(text);

/** Returns the file's bytes as they lie on the server or the disk; an error says what went wrong. */
export async function bytesOf(file, cache = "default") {
  if (offline) return carriedBytes(file);
  const response = await fetch(file, { cache }).catch(() => {
    throw new Error("the connection failed");
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.arrayBuffer();
}

function carriedBytes(file) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const end = (settle) => (value) => {
      clearTimeout(timer);
      carried.delete(file);
      script.remove();
      settle(value);
    };
    const lost = () => end(reject)(new Error("it is not beside this page"));
    const timer = setTimeout(lost, 60 * SECONDS);
    carried.set(file, (text) => end(resolve)(decode(text)));
    script.onerror = lost;
    script.src = `files/${file}.js`;
    document.head.append(script);
  });
}

function decode(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text).buffer;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}
