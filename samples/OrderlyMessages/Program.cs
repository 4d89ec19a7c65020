// Sends the steps of several orders, and handles those of each order one behind the other, though two consumers share the work and one
// step fails at first. Start a server first (./run.sh), then:
//
//     dotnet run --project samples/OrderlyMessages [-- NAMESERVERS]
using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Protocol.Messages;

const string Topic = "SampleOrderlyTopic";
const int Orders = 4;
string[] steps = ["created", "paid", "packed", "sent"];
string nameServers = args.Length > 0 ? args[0] : "127.0.0.1:9876";
string run = Guid.NewGuid().ToString("N")[..8];
using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));

await using var producer = new Producer(new ProducerOptions { NameServers = nameServers });
foreach (string step in steps)
{
    for (int order = 1; order <= Orders; order++)
    {
        // Messages of one sharding key are in one queue.
        var message = new Message(Topic, Encoding.UTF8.GetBytes(step)) { Tag = run, ShardingKey = $"order {order}" };
        await producer.SendAsync(message, limit.Token);
    }
}

var handled = new ConcurrentDictionary<string, int>();
var all = new CountdownEvent(Orders * steps.Length);
int failures = 0;
await using PushConsumer first = Consumer("first");
await using PushConsumer second = Consumer("second");
await first.StartAsync(limit.Token);
await second.StartAsync(limit.Token);
await Task.Run(() => all.Wait(limit.Token));
Console.WriteLine("all steps were handled in their order");

PushConsumer Consumer(string name) => new(
    new PushConsumerOptions
    {
        NameServers = nameServers,
        Group = "SampleOrderlyGroup" + run,
        Orderly = true,
        ConsumeFrom = ConsumeFrom.First,
        Subscriptions = { [Topic] = run },
    },
    (message, _) => ValueTask.FromResult(Handle(name, message)));

ConsumeResult Handle(string name, ReceivedMessage message)
{
    string order = message.Properties[MessageProperty.ShardingKey];
    string step = Encoding.UTF8.GetString(message.Body.Span);
    if (order == "order 2" && step == "paid" && Interlocked.Increment(ref failures) == 1)
    {
        // Its queue waits: nothing overtakes this step.
        Console.WriteLine($"{name,-6} fails at {order}: {step}");
        return ConsumeResult.RetryAfter(TimeSpan.FromMilliseconds(500));
    }

    Console.WriteLine($"{name,-6} handles  {order}: {step}");
    if (handled.AddOrUpdate(order, 1, (_, count) => count + 1) != Array.IndexOf(steps, step) + 1)
    {
        throw new InvalidOperationException($"{order}: {step} is out of its order");
    }

    all.Signal();
    return ConsumeResult.Success;
}
