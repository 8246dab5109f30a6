// Makes calls with the official client for Node and prints what it saw as one line of JSON; see driver.py.
//
//     node driver.mjs FOLDER BASE_URL KEY MODEL CALL [CALL ...]
//
// FOLDER is where npm installed the client.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, baseURL, apiKey, model, ...names] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const OpenAI = require("openai");

const QUESTION = "Label this message: my parcel is late";
const messages = [{ role: "user", content: QUESTION }];
const prompt = `<user>${QUESTION}<assistant>`;
const tools = [
  {
    type: "function",
    function: {
      name: "route",
      description: "Hand a message to a team.",
      parameters: { type: "object", properties: { team: { type: "string" } }, required: ["team"] },
    },
  },
];
const label = {
  type: "json_schema",
  json_schema: {
    schema: {
      additionalProperties: false,
      properties: { team: { title: "Team", type: "string" } },
      required: ["team"],
      title: "Label",
      type: "object",
      description: "What the parse helper asks for.",
    },
    name: "Label",
    strict: true,
  },
};

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 30_000 });
const base = { model, messages, temperature: 0 };
const chat = (more = {}) => client.chat.completions.create({ ...base, ...more });
const legacy = (more = {}) => client.completions.create({ model, prompt, temperature: 0, ...more });

async function all(stream) {
  const found = [];
  for await (const one of await stream) found.push(one);
  return found;
}

const calls = {
  models: async () => (await all(client.models.list())).map((one) => one.id),
  model: async () => (await client.models.retrieve(model)).id,
  chat: () => chat(),
  stream: () => all(chat({ stream: true })),
  stream_usage: () => all(chat({ stream: true, stream_options: { include_usage: true } })),
  concurrent: () => Promise.all([chat({ seed: 1 }), all(chat({ seed: 1, stream: true }))]),
  stop_text: () => chat({ stop: "ing" }),
  stop_list: () => chat({ stop: ["zebra", "pp"] }),
  max_tokens: () => chat({ max_tokens: 1 }),
  too_hot: () => chat({ temperature: 2.1 }),
  no_key: () => client.chat.completions.create({ model, messages }, { headers: { Authorization: "Basic abc" } }),
  no_model: () => chat({ model: "nobody/here" }),
  legacy: () => legacy(),
  legacy_stream: () => all(legacy({ stream: true })),
  several: () => chat({ n: 2 }),
  logprobs: () => chat({ logprobs: true, top_logprobs: 2 }),
  tools: () => chat({ tools, tool_choice: "auto" }),
  tools_stream: () => all(chat({ tools, tool_choice: "auto", stream: true })),
  parsed: async () => {
    // The helper of the client for Python says so too; a recording tells a field from none.
    const answer = await client.chat.completions.parse({ ...base, response_format: label, stream: false });
    return Object.keys(JSON.parse(answer.choices[0].message.content)).sort();
  },
  parts: () => chat({ messages: [{ role: "user", content: [{ type: "text", text: QUESTION }] }] }),
  headers: async () => {
    const { response } = await chat().withResponse();
    return { type: response.headers.get("content-type"), id: Boolean(response.headers.get("x-request-id")) };
  },
  abort: async () => {
    const stream = await chat({ stream: true });
    let first;
    for await (const one of stream) {
      first = one;
      break; // leaving the loop aborts the request
    }
    return [first, await chat()];
  },
};

async function seen(call) {
  try {
    const answer = await call();
    return { answer: JSON.parse(JSON.stringify(answer)) };
  } catch (error) {
    const { status = null, param = null, code = null, type = null } = error;
    return {
      error: {
        class: error.constructor.name,
        status,
        param,
        code,
        type,
        message: error.error?.message ?? null,
        id: Boolean(error.requestID),
      },
    };
  }
}

const found = [];
for (const name of names) found.push(await seen(calls[name]));
const { version } = JSON.parse(readFileSync(join(folder, "node_modules/openai/package.json")));
process.stdout.write(JSON.stringify({ client: version, seen: found }));
