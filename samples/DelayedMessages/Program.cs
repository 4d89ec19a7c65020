// Sends messages that are delivered later, and takes one of them back. Start a server first (./run.sh; a RocketMQ has to be told to allow
// recalls: recallMessageEnable=true), then:
//
//     dotnet run --project samples/DelayedMessages [-- NAMESERVERS]
using System.Diagnostics;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;

const string Topic = "SampleDelayTopic";
const int Count = 3;
string nameServers = args.Length > 0 ? args[0] : "127.0.0.1:9876";
string run = Guid.NewGuid().ToString("N")[..8];
using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
await using var producer = new Producer(new ProducerOptions { NameServers = nameServers });

// The message that is to be recalled is the last to be due: whoever has the others would have seen it soon.
SendResult wrong = await SendAsync("a reminder that nobody needs", delay: TimeSpan.FromSeconds(6));
var clock = Stopwatch.StartNew();
await SendAsync("level 1, which is a second unless the broker has other levels", level: 1);
await SendAsync("2.5 seconds", delay: TimeSpan.FromSeconds(2.5));
await SendAsync("not before a certain time", at: DateTimeOffset.UtcNow.AddSeconds(4));
int expected = Count;
try
{
    string id = await producer.RecallAsync(Topic, wrong.RecallHandle ?? "", limit.Token);
    Console.WriteLine($"recalled {id}");
}
catch (Exception e) when (e is BrokerException or FormatException)
{
    expected++;
    Console.WriteLine($"not recalled, for the broker does not allow it: {e.Message}");
}

int received = 0;
var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
await using var consumer = new PushConsumer(
    new PushConsumerOptions
    {
        NameServers = nameServers,
        Group = "SampleDelayGroup" + run,
        ConsumeFrom = ConsumeFrom.First,
        Subscriptions = { [Topic] = run },
    },
    (message, _) =>
    {
        Console.WriteLine($"after {clock.Elapsed.TotalSeconds:F2} s: {Encoding.UTF8.GetString(message.Body.Span)}");
        if (Interlocked.Increment(ref received) == expected)
        {
            all.TrySetResult();
        }

        return ValueTask.FromResult(ConsumeResult.Success);
    });
await consumer.StartAsync(limit.Token);
await all.Task.WaitAsync(limit.Token);
Console.WriteLine("all messages are delivered");

Task<SendResult> SendAsync(string text, TimeSpan? delay = null, DateTimeOffset? at = null, int? level = null) => producer.SendAsync(
    new Message(Topic, Encoding.UTF8.GetBytes(text)) { Tag = run, Delay = delay, DeliverAt = at, DelayLevel = level },
    limit.Token);
