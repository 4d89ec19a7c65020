'use strict';

// A producer or a consumer of rocketmq-client-nodejs, driven over its standard streams: one JSON object per line, calls in, results out.
//   {"id":1,"call":"producer","endpoints":"127.0.0.1:8081","topics":["T"],"ssl":false,"check":"commit"}
// Results: {"id":1,"result":...} or {"id":1,"error":"..."}.

const readline = require('readline');
const {
  Producer, SimpleConsumer, PushConsumer, ConsumeResult, FilterExpression,
} = require('rocketmq-client-nodejs');
const { FilterType, TransactionResolution } = require('rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb');

const emit = event => process.stdout.write(JSON.stringify(event) + '\n');
const logger = { debug() {}, info() {}, warn(...args) { console.error(...args); }, error(...args) { console.error(...args); }, close() {} };

let client;
let transactionMessage;
const received = [];
const checked = [];
const waiting = [];

const show = message => ({
  body: message.body.toString(),
  messageId: message.messageId,
  tag: message.tag,
  keys: message.keys,
  properties: Object.fromEntries(message.properties),
  messageGroup: message.messageGroup,
  deliveryAttempt: message.deliveryAttempt,
  corrupted: message.corrupted === true,
});

const options = call => ({ endpoints: call.endpoints, namespace: call.namespace || '', sslEnabled: call.ssl, logger });

const filter = call => (call.sql ? new FilterExpression(call.expression, FilterType.SQL) : new FilterExpression(call.expression));

// What is not said is undefined to the library, and null in JSON.
const toMessage = ({ topic, tag, keys, body, properties, messageGroup, delayMs }) => ({
  topic,
  tag: tag ?? undefined,
  keys: keys ?? undefined,
  body: Buffer.from(body),
  properties: properties ? new Map(Object.entries(properties)) : undefined,
  messageGroup: messageGroup ?? undefined,
  deliveryTimestamp: delayMs ? new Date(Date.now() + delayMs) : undefined,
});

const receipt = ({ messageId, transactionId, offset, recallHandle }) => ({ messageId, transactionId, offset, recallHandle });

const calls = {
  async producer(call) {
    client = new Producer({
      ...options(call),
      topics: call.topics,
      checker: {
        async check(message) {
          checked.push(show(message));
          return call.check === 'commit' ? TransactionResolution.COMMIT : TransactionResolution.ROLLBACK;
        },
      },
    });
    await client.startup();
  },
  async send(call) {
    return receipt(await client.send(toMessage(call)));
  },
  async transaction(call) {
    const transaction = client.beginTransaction();
    transactionMessage = toMessage(call);
    const sent = receipt(await client.send(transactionMessage, transaction));
    if (call.end === 'commit') {
      await transaction.commit();
    } else if (call.end === 'rollback') {
      await transaction.rollback();
    }
    return sent;
  },
  async recall(call) {
    return (await client.recallMessage(call.topic, call.recallHandle)).messageId;
  },
  async simple(call) {
    client = new SimpleConsumer({
      ...options(call), consumerGroup: call.group, subscriptions: new Map([[ call.topic, filter(call) ]]), awaitDuration: 5000,
    });
    await client.startup();
  },
  async receive(call) {
    const messages = await client.receive(call.max, call.invisibleMs).catch(err => {
      if (/no new message|40401/.test(err.message)) {
        return [];
      }
      throw err;
    });
    const from = received.length;
    received.push(...messages);
    return messages.map((message, index) => ({ index: from + index, ...show(message) }));
  },
  async ack(call) {
    await client.ack(received[call.index]);
  },
  async change(call) {
    await client.changeInvisibleDuration(received[call.index], call.invisibleMs);
  },
  async push(call) {
    client = new PushConsumer({
      ...options(call),
      consumerGroup: call.group,
      subscriptions: new Map([[ call.topic, filter(call) ]]),
      messageListener: {
        async consume(message) {
          received.push(show(message));
          waiting.forEach(look => look());
          return (call.fail || []).includes(message.body.toString()) ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS;
        },
      },
    });
    await client.startup();
  },
  // Resolves when every one of the bodies has come so often as it is named; tells all that came.
  pushed(call) {
    return new Promise(resolve => {
      const look = () => {
        const left = received.map(message => message.body);
        const missing = call.bodies.filter(body => {
          const at = left.indexOf(body);
          if (at >= 0) {
            left.splice(at, 1);
          }
          return at < 0;
        });
        if (missing.length === 0) {
          resolve(received);
        }
      };
      waiting.push(look);
      look();
    });
  },
  async checked() {
    return checked;
  },
  async close() {
    await client.shutdown();
  },
};

readline.createInterface({ input: process.stdin })
  .on('line', async line => {
    const call = JSON.parse(line);
    try {
      emit({ id: call.id, result: (await calls[call.call](call)) ?? null });
    } catch (err) {
      emit({ id: call.id, error: `${err.message} ${err.cause ? err.cause.message : ''}` });
    }
  })
  .on('close', () => process.exit(0)); // the test is gone
