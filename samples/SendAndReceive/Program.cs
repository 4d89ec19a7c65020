// Sends ten messages and receives them. Start a server first (./run.sh), then:
//
//     dotnet run --project samples/SendAndReceive [-- NAMESERVERS]
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;

const string Topic = "SampleTopic";
const int Count = 10;
string nameServers = args.Length > 0 ? args[0] : "127.0.0.1:9876";
using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));

await using var producer = new Producer(new ProducerOptions { NameServers = nameServers });
string run = Guid.NewGuid().ToString("N")[..8];
for (int i = 0; i < Count; i++)
{
    var message = new Message(Topic, Encoding.UTF8.GetBytes($"hello {i}")) { Tag = run, Keys = [$"{run}-{i}"] };
    SendResult sent = await producer.SendAsync(message, limit.Token);
    Console.WriteLine($"sent     hello {i}  to queue {sent.Queue.QueueId} of {sent.Queue.BrokerName}, id {sent.MessageId}");
}

int received = 0;
var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
var options = new PushConsumerOptions
{
    NameServers = nameServers,
    Group = "SampleGroup",
    ConsumeFrom = ConsumeFrom.First,
    Subscriptions = { [Topic] = run },
};
await using var consumer = new PushConsumer(options, (message, _) =>
{
    Console.WriteLine($"received {Encoding.UTF8.GetString(message.Body.Span)}");
    if (Interlocked.Increment(ref received) == Count)
    {
        all.TrySetResult();
    }

    return ValueTask.FromResult(ConsumeResult.Success);
});
await consumer.StartAsync(limit.Token);
await all.Task.WaitAsync(limit.Token);
Console.WriteLine($"received all {Count} messages");
