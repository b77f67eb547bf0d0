// The stock way: micropip installs every wheel, and its modules are compiled as they are imported.
importScripts("pyodide.js");

async function start() {
  const python = await loadPyodide({ indexURL: "./" });
  const quiet = { checkIntegrity: false, messageCallback: () => {} };
  await python.loadPackage(["micropip", "numpy", "pandas", "pillow", "contourpy"], quiet);
  const wheels = await (await fetch("wheels.json")).json();
  const addresses = wheels.map((name) => new URL(name, self.location.href).href);
  python.globals.set("addresses", python.toPy(addresses));
  await python.runPythonAsync("import micropip; await micropip.install(addresses, deps=False)");
  const app = await (await fetch("app.py")).text();
  self.postMessage((await python.runPythonAsync(app)).toJs());
}

start().catch((error) => self.postMessage({ error: String(error) }));
