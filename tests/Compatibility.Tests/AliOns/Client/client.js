'use strict';

// A producer or a consumer of ali-ons, driven over its standard streams: one JSON object per line, commands in, events out.
//   node client.js producer '{"nameServer":"127.0.0.1:9876","group":"G"}'
//   node client.js consumer '{"nameServer":"127.0.0.1:9876","group":"G","subscriptions":[{"topic":"T","expression":"*"}],"id":"pod-1"}'
// Clients have the id `id@pid`; where none is given, 127.0.0.1@pid. The queues that are told are those of the first topic.
// Commands: {"send":[{"topic","tag","key","body"}, ...]} and {"close":true}.
// Events: ready, sent (per message), message (per message), queues (when those of the topic change), error, closed.

const readline = require('readline');
const { Consumer, Producer, Message } = require('ali-ons');

const [ role, json ] = process.argv.slice(2);
const settings = JSON.parse(json);
const intervalMs = 500; // RocketMQ's clients take 5 to 30 s

const emit = event => process.stdout.write(JSON.stringify(event) + '\n');

const options = {
  httpclient: {}, // asked for, and not used with a name server's address
  nameSrv: settings.nameServer,
  clientIP: settings.id || '127.0.0.1', // used for nothing but the client's id
  logger: { debug() {}, info() {}, warn() {}, error(...args) { console.error(...args); } },
  pollNameServerInteval: intervalMs,
  heartbeatBrokerInterval: intervalMs,
  persistConsumerOffsetInterval: intervalMs,
  rebalanceInterval: intervalMs,
  pullTimeDelayMillsWhenException: intervalMs,
};

const roles = {
  producer() {
    const producer = new Producer(Object.assign({ producerGroup: settings.group }, options));

    // A broker that is away is tried again, as a program that must not lose a message does; the test sets the limit.
    async function sendOne({ topic, tag, key, body }) {
      for (;;) {
        const message = new Message(topic, tag, body);
        if (key) {
          message.keys = [ key ];
        }
        try {
          const { sendStatus, msgId, messageQueue, queueOffset } = await producer.send(message);
          emit({ event: 'sent', body, sendStatus, msgId, queueId: messageQueue.queueId, queueOffset });
          return;
        } catch (err) {
          emit({ event: 'error', message: err.message });
          await new Promise(resolve => setTimeout(resolve, intervalMs));
        }
      }
    }

    return {
      client: producer,
      async send(messages) {
        for (const message of messages) {
          await sendOne(message);
        }
      },
    };
  },

  consumer() {
    const consumer = new Consumer(Object.assign(
      { consumerGroup: settings.group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' }, options));
    for (const { topic, expression } of settings.subscriptions) {
      consumer.subscribe(topic, expression, async message => {
        const { msgId, tags, keys, queueId, queueOffset, reconsumeTimes } = message;
        emit({ event: 'message', topic, body: message.body.toString(), msgId, tags, keys, queueId, queueOffset, reconsumeTimes });
      });
    }

    let known = '';
    setInterval(() => {
      const queues = Array.from(consumer.processQueueTable.values())
        .map(entry => entry.messageQueue)
        .filter(queue => queue.topic === settings.subscriptions[0].topic)
        .map(queue => queue.queueId)
        .sort();
      if (known !== queues.join()) {
        known = queues.join();
        emit({ event: 'queues', queues });
      }
    }, 50);
    return { client: consumer };
  },
};

const { client, send } = roles[role]();
client.on('error', err => emit({ event: 'error', message: err.message }));
client.ready().then(() => emit({ event: 'ready' }));

async function close() {
  await client.close();
  emit({ event: 'closed' });
  process.stdout.write('', () => process.exit(0));
}

readline.createInterface({ input: process.stdin })
  .on('line', line => {
    const command = JSON.parse(line);
    if (command.send) {
      send(command.send);
    } else if (command.close) {
      close();
    }
  })
  .on('close', () => process.exit(0)); // the test is gone
