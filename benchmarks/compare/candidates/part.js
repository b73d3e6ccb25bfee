// What the candidates in JavaScript share: how they talk with the runner (see ../run), and the payload.
'use strict';
const readline = require('readline');

const now = () => Number(process.hrtime.bigint());
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const payload = (number) => ({sensor: 'boiler-007-outlet-a', at: 1700000000000 + number, value: 21.5});
if (JSON.stringify(payload(0)).length !== 64) throw new Error('the payload is not of 64 bytes');

// Says that this part is set up, and returns when it shall begin.
function ready() {
  const input = readline.createInterface({input: process.stdin});
  input.on('close', () => process.exit(0));
  console.log('ready');
  return new Promise((resolve) => input.once('line', resolve));
}

const done = (begin, end) => console.log(`done ${begin} ${end}`);

// Counts to `tasks`, from now on.
function counter(tasks) {
  const begin = now();
  let count = 0;
  return () => {
    if (++count === tasks) done(begin, now());
  };
}

async function enqueue(tasks, batch, add) {
  await ready();
  const begin = now();
  for (let from = 0; from < tasks; from += batch) {
    await add(Array.from({length: Math.min(batch, tasks - from)}, (_, i) => payload(from + i)));
  }
  done(begin, now());
}

// `submit` gives the task's result, which is when its handler began.
async function latency(tasks, submit) {
  await ready();
  for (let i = 0; i < tasks; ++i) {
    await sleep(4);
    const begin = now();
    const result = await submit(payload(i));
    console.log(`sample ${result.at - begin} ${now() - begin}`);
  }
  done(0, 0);
}

module.exports = {now, ready, counter, enqueue, latency};
