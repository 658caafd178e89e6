// Nights made from fixtures/nightly: without times and ratings, and with many agents.
"use strict";
const fs = require("fs");

const [, , fixtures, out] = process.argv;
const night = fs.readFileSync(`${fixtures}/nightly/2026-11-20.jsonl`, "utf8").trim().split("\n").map((l) => JSON.parse(l));

function write(name, conversations) {
  fs.writeFileSync(`${out}/${name}.jsonl`, conversations.map((c) => JSON.stringify(c) + "\n").join(""));
}

write("bare", night.map((c) => ({
  conversation_id: c.conversation_id,
  agent_id: c.agent_id,
  turns: c.turns.map(({ role, agent_id, text, kind }) => ({ role, agent_id, text, kind })),
})));

const AGENTS = 500;
const crowd = [];
for (let i = 0; i < 3000; i += 1) {
  const c = JSON.parse(JSON.stringify(night[(i * 7) % night.length]));
  const name = (id) => `g${String((i * 13 + (id ? id.charCodeAt(id.length - 1) : 0)) % AGENTS).padStart(3, "0")}`;
  c.conversation_id = `M${i}`;
  c.agents = (c.agents || []).map((a) => {
    const id = name(a.id);
    return { id, name: `客服${id.slice(1)}`, team: `${Math.floor(Number(id.slice(1)) / 25) + 1} 组` };
  });
  if (c.agent_id) c.agent_id = name(c.agent_id);
  c.turns.forEach((t) => { if (t.agent_id) t.agent_id = name(t.agent_id); });
  crowd.push(c);
}
write("crowd", crowd);
write("empty", []);
