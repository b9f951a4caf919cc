// The extension against a stub of VS Code's API and the built `mpp serve`: each answer of a person, in turn.
'use strict';
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const Module = require('node:module');
const { createInterface } = require('node:readline');

const mpp = process.env.MPP_BIN;
const dialogs = [];
// What the person chooses in the next dialogs.
let choices = [];
const show = kind => (title, ...rest) => {
  dialogs.push({ kind, title, rest });
  const choice = kind === 'warning' ? choices.shift() : undefined;
  return Promise.resolve(typeof choice === 'function' ? choice() : choice);
};
const stub = {
  workspace: { getConfiguration: () => ({ get: name => (name === 'program' ? mpp : '') }) },
  window: {
    showWarningMessage: show('warning'),
    showErrorMessage: show('error'),
    showInformationMessage: show('information'),
  },
};
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? stub : load(name, ...rest));
const extension = require('./extension.js');

const server = spawn(mpp, ['serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = new Map();
createInterface({ input: server.stdout }).on('line', line => {
  const message = JSON.parse(line);
  answers.get(message.id)?.(message.result);
});
let last = 0;
function call(name, args) {
  const id = ++last;
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { name, arguments: args, _meta };
  server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n`);
  return new Promise(resolve => answers.set(id, result => resolve(result.content[0].text)));
}

async function main() {
  extension.activate();
  const write = text => call('add_note', { title: text, text });

  choices = ['Deny'];
  assert.match(await write('a'), /^DENIED by MPP policy/);
  choices = ['Show', 'Deny'];
  assert.match(await write('b'), /^DENIED by MPP policy/);
  const { modal, detail } = dialogs.at(-1).rest[0];
  assert(modal && detail.includes('org.example.notes') && detail.includes('store up to'), detail);
  choices = ['Show', 'Allow once'];
  assert.doesNotMatch(await write('c'), /^DENIED/);
  // A dialog that is closed leaves the request to another program.
  choices = [undefined];
  const left = write('d');
  while (choices.length) await new Promise(resolve => setTimeout(resolve, 50));
  const pending = spawn(mpp, ['deny', '4', '--json'], { stdio: 'inherit' });
  await new Promise(resolve => pending.on('exit', resolve));
  assert.match(await left, /^DENIED/);
  // The same while a dialog is open: a late answer changes nothing.
  choices = ['Show', () => new Promise(resolve => {
    spawn(mpp, ['deny', '5', '--json'], { stdio: 'inherit' }).on('exit', () => setTimeout(resolve, 1000, 'Allow once'));
  })];
  assert.match(await write('e'), /^DENIED/);
  while (!dialogs.some(({ title }) => title.includes('has ended'))) await new Promise(resolve => setTimeout(resolve, 50));
  choices = ['Show', 'Allow this version'];
  assert.doesNotMatch(await write('f'), /^DENIED/);
  const asked = dialogs.length;
  assert.doesNotMatch(await write('g'), /^DENIED/);
  assert.strictEqual(dialogs.length, asked, 'a remembered approval asks nothing');
  assert(!dialogs.some(({ kind }) => kind === 'error'), JSON.stringify(dialogs));
  extension.deactivate();
  server.stdin.end();
}

main().catch(error => { console.error(error); process.exit(1); });
