// node schemas.mjs: writes VS Code's own JSON schemas of tasks.json and launch.json into this folder, from its source as npm has it
import { writeFileSync } from "node:fs";
import { register } from "node:module";

const styles = `export async function load(url, context, next) {
  return url.endsWith(".css") ? { format: "module", source: "", shortCircuit: true } : next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(styles)}`);
// VS Code asks for its window while it is loaded, but its schemas need none
const anything = new Proxy(function () {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => "" : anything),
  apply: () => anything,
  construct: () => anything,
});
for (const name of ["document", "HTMLElement", "Element", "matchMedia", "MutationObserver", "Node", "self", "window"]) {
  globalThis[name] ??= anything;
}
const source = (service, file) =>
  import(new URL(`node_modules/@codingame/monaco-vscode-${service}-service-override/vscode/src/vs/workbench/contrib/${file}`, import.meta.url));
const { default: tasks } = await source("task", "tasks/common/jsonSchema_v2.js");
const { launchSchema: launch } = await source("debug", "debug/common/debugSchemas.js");
// Extensions fill it, one schema for each type of debugger
delete launch.properties.configurations.items.oneOf;
for (const [name, schema] of Object.entries({ tasks, launch })) {
  writeFileSync(`${name}.schema.json`, JSON.stringify({ $schema: "http://json-schema.org/draft-07/schema#", ...schema }));
}
process.exit();
