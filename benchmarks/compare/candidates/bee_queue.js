// bee-queue, set up as its README recommends for throughput: jobs are neither stored in memory nor announced to
// who does not ask. 50 jobs at a time.
'use strict';
const Queue = require('bee-queue');
const part = require('./part.js');

const [verb, port, tasks] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const redis = {host: '127.0.0.1', port};

async function work() {
  const queue = new Queue('bench', {redis, getEvents: false, storeJobs: false});
  await queue.ready();
  await part.ready();
  const count = part.counter(tasks);
  queue.on('succeeded', count);
  queue.process(50, async () => ({at: part.now(), is_normal: true}));
}

async function enqueue() {
  const queue = new Queue('bench', {redis, isWorker: false, getEvents: false, storeJobs: false});
  await queue.ready();
  await part.enqueue(tasks, 1000, (payloads) => queue.saveAll(payloads.map((one) => queue.createJob(one))));
}

async function latency() {
  const queue = new Queue('bench', {redis, isWorker: false});
  await queue.ready();
  await part.latency(tasks, (payload) => new Promise((resolve) => {
    const job = queue.createJob(payload);
    job.on('succeeded', resolve);
    job.save();
  }));
}

({work, enqueue, latency})[verb]();
