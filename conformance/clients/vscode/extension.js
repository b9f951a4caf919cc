// Shows the approval requests of `mpp serve` as notifications. It decides nothing: `mpp approve` and `mpp deny` do.
'use strict';
const vscode = require('vscode');
const { execFile, spawn } = require('node:child_process');
const { createInterface } = require('node:readline');

const RESTART_MS = 3000;
const [SHOW, ONCE, ALWAYS, DENY] = ['Show', 'Allow once', 'Allow this version', 'Deny'];
const waiting = new Set();
let follower, timer;

function command() {
  const settings = vscode.workspace.getConfiguration('mpp');
  const home = settings.get('home');
  const env = home ? { ...process.env, MPP_HOME: home } : process.env;
  return { program: settings.get('program') || 'mpp', env };
}

function run(words) {
  const { program, env } = command();
  return new Promise(resolve => {
    execFile(program, [...words, '--json'], { env }, (failure, out) => {
      if (!failure) return resolve();
      let why = failure.message;
      try { why = JSON.parse(out).error.detail; } catch { /* not started */ }
      resolve(vscode.window.showErrorMessage(`mpp: ${why}`));
    });
  });
}

async function ask(request) {
  const number = String(request.number);
  const title = `mpp: may the agent call ${request.tool} of ${request.package}?`;
  let answer = await vscode.window.showWarningMessage(title, SHOW, DENY);
  if (answer === SHOW) {
    // Only the dialog shows the whole request, so only the dialog allows it.
    const allow = request.too_long ? [] : request.is_destructive ? [ONCE] : [ONCE, ALWAYS];
    const detail = request.too_long ? `${request.text}\n${request.too_long}` : request.text;
    answer = await vscode.window.showWarningMessage(title, { modal: true, detail }, ...allow, DENY);
  }
  if (!waiting.has(request.number)) return answer && vscode.window.showInformationMessage(`mpp: request ${number} has ended.`);
  if (answer === ONCE) return run(['approve', number, '--yes', '--once']);
  if (answer === ALWAYS) return run(['approve', number, '--yes']);
  if (answer === DENY) return run(['deny', number]);
}

function follow() {
  const { program, env } = command();
  follower = spawn(program, ['pending', '--follow', '--json'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  createInterface({ input: follower.stdout }).on('line', line => {
    const event = JSON.parse(line);
    if (event.event === 'ended') waiting.delete(event.number);
    if (event.event !== 'asked') return;
    waiting.add(event.request.number);
    ask(event.request);
  });
  const again = () => { clearTimeout(timer); timer = follower && setTimeout(follow, RESTART_MS); };
  follower.on('error', again).on('exit', again);
}

function deactivate() {
  const child = follower;
  follower = undefined;
  clearTimeout(timer);
  child?.kill();
}

module.exports = { activate: follow, deactivate };
