// What a client of the TypeScript SDK is asked to see; both versions have the same calls.

export const transport = {
  command: process.env.MPP_BIN,
  args: ["serve"],
  env: { MPP_HOME: process.env.MPP_HOME, PATH: process.env.PATH },
};
const INSTALLED = JSON.parse(process.env.MPP_TOOLS_INSTALLED).sort();

export function holds(what, condition, shown) {
  if (!condition) {
    console.error(`not so: ${what}: ${JSON.stringify(shown)}`);
    process.exit(1);
  }
  console.log(`  ${what}`);
}

// `call` is how the version calls a tool: with its name, arguments and options.
export async function session(client, call) {
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name).sort();
  holds("the listing is complete", JSON.stringify(names) === JSON.stringify(INSTALLED), names);

  let answer = await call("analyze", { text: "one two two" });
  holds("a call is answered", answer.content[0].text.includes("words: 3"), answer);
  holds("its structured content is there", answer.structuredContent.words === 3, answer);
  answer = await call("contact", {});
  const shown = JSON.stringify(answer);
  holds("an address is redacted everywhere", shown.includes("[EMAIL]") && !shown.includes("ann@"), shown);

  answer = await call("analyze", { text: 5 });
  const told = answer.content[0].text;
  holds("bad arguments are an error result", answer.isError === true, answer);
  holds("bad arguments are explained", told.includes("INVALID REQUEST") && told.includes("/text"), told);
  answer = await call("erase", {});
  holds("a denial is an error result", answer.isError === true, answer);
  holds("a denial says so", answer.content[0].text.startsWith("DENIED by MPP policy"), answer);

  const values = [];
  await call("wait", {}, { onprogress: (progress) => values.push(progress.progress) });
  const rising = values.every((value, at) => at === 0 || values[at - 1] < value);
  holds("progress comes and rises", values.length >= 1 && rising, values);

  const stop = new AbortController();
  setTimeout(() => stop.abort("enough"), 1000);
  const given_up = await call("forever", {}, { signal: stop.signal }).catch((error) => error);
  holds("a call that never ends can be given up", given_up instanceof Error || given_up === "enough", given_up);
  answer = await call("analyze", { text: "one two two" });
  holds("a call is answered", answer.content[0].text.includes("words: 3"), answer);
}
