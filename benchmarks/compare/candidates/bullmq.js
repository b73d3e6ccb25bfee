// BullMQ with ioredis, 100 jobs at a time; ended jobs are kept, as is its default.
'use strict';
const {Queue, QueueEvents, Worker} = require('bullmq');
const part = require('./part.js');

const [verb, port, tasks] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const connection = {host: '127.0.0.1', port, maxRetriesPerRequest: null};

async function work() {
  const handle = async () => ({at: part.now(), is_normal: true});
  const worker = new Worker('bench', handle, {connection, concurrency: 100, autorun: false});
  await worker.waitUntilReady();
  await part.ready();
  worker.on('completed', part.counter(tasks));
  worker.run();
}

async function enqueue() {
  const queue = new Queue('bench', {connection});
  await queue.waitUntilReady();
  await part.enqueue(tasks, 1000, (payloads) => queue.addBulk(payloads.map((data) => ({name: 'judge', data}))));
}

async function latency() {
  const queue = new Queue('bench', {connection});
  const events = new QueueEvents('bench', {connection});
  await events.waitUntilReady();
  await part.latency(tasks, async (payload) => (await queue.add('judge', payload)).waitUntilFinished(events));
}

({work, enqueue, latency})[verb]();
