// Sends messages that are delivered if, and only if, a local transaction is committed. Here that is an entry in a dictionary; in an
// application it is a row in a database. Start a server first (./run.sh), then:
//
//     dotnet run --project samples/Transactions [-- NAMESERVERS]
//
// The last message is delivered when the broker has asked how its transaction ended: after transactionTimeOut (6 s unless set), at the
// next check (transactionCheckInterval, 30 s unless set).
using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Producers.Transactions;

const string Topic = "SampleTransactionTopic";
string nameServers = args.Length > 0 ? args[0] : "127.0.0.1:9876";
string run = Guid.NewGuid().ToString("N")[..8];
using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));

// What the local transactions have written, by message id.
var orders = new ConcurrentDictionary<string, string>();

await using var producer = new TransactionalProducer(
    new ProducerOptions { NameServers = nameServers, Group = "SampleTransactionProducer" },
    (message, _) =>
    {
        // Asked when the broker did not hear of an end. Whoever of the group is alive is asked: the answer is looked up, not remembered.
        bool isThere = orders.ContainsKey(message.MessageId);
        Console.WriteLine($"asked about {Encoding.UTF8.GetString(message.Body.Span)}: {(isThere ? "commit" : "rollback")}");
        return ValueTask.FromResult(isThere ? TransactionOutcome.Commit : TransactionOutcome.Rollback);
    });

await SendAsync("order 1", id => { orders[id] = "order 1"; return TransactionOutcome.Commit; });
await SendAsync("order 2", _ => TransactionOutcome.Rollback);

// As if the process had been killed between the database's commit and the word to the broker.
await SendAsync("order 3", id => { orders[id] = "order 3"; return TransactionOutcome.Unknown; });

int received = 0;
var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
await using var consumer = new PushConsumer(
    new PushConsumerOptions
    {
        NameServers = nameServers,
        Group = "SampleTransactionGroup" + run,
        ConsumeFrom = ConsumeFrom.First,
        Subscriptions = { [Topic] = run },
    },
    (message, _) =>
    {
        Console.WriteLine($"received {Encoding.UTF8.GetString(message.Body.Span)}");
        if (Interlocked.Increment(ref received) == orders.Count)
        {
            all.TrySetResult();
        }

        return ValueTask.FromResult(ConsumeResult.Success);
    });
await consumer.StartAsync(limit.Token);
await all.Task.WaitAsync(limit.Token);
Console.WriteLine("received what was committed");

async Task SendAsync(string text, Func<string, TransactionOutcome> transaction)
{
    TransactionResult result = await producer.SendAsync(
        new Message(Topic, Encoding.UTF8.GetBytes(text)) { Tag = run },
        (sent, _) => ValueTask.FromResult(transaction(sent.MessageId)),
        limit.Token);
    Console.WriteLine($"sent     {text}: {result.Outcome}");
}
