// Asks questions by message and waits for the answers. Start a server first (./run.sh), then:
//
//     dotnet run --project samples/RequestReply [-- NAMESERVERS]
using System.Diagnostics;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Protocol.Messages;

const string Topic = "SampleRequestTopic";
string nameServers = args.Length > 0 ? args[0] : "127.0.0.1:9876";
using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));

// Whoever answers: one producer serves for sending requests and replies alike.
await using var producer = new Producer(new ProducerOptions { NameServers = nameServers });
await using var service = new PushConsumer(
    new PushConsumerOptions
    {
        NameServers = nameServers,
        Group = "SampleRequestGroup",
        ConsumeFrom = ConsumeFrom.First,

        // The topic appears with the first question, and is to be noticed soon.
        RebalanceInterval = TimeSpan.FromSeconds(1),
        Subscriptions = { [Topic] = "*" },
    },
    async (message, cancel) =>
    {
        string question = Encoding.UTF8.GetString(message.Body.Span);
        await producer.ReplyAsync(message, Encoding.UTF8.GetBytes(question.ToUpperInvariant()), cancel);
        return ConsumeResult.Success;
    });
await service.StartAsync(limit.Token);

foreach (string question in (string[])["hello", "is anybody there?", "goodbye"])
{
    long start = Stopwatch.GetTimestamp();
    ReceivedMessage reply = await producer.RequestAsync(
        new Message(Topic, Encoding.UTF8.GetBytes(question)), TimeSpan.FromSeconds(30), limit.Token);
    Console.WriteLine(
        $"{question} -> {Encoding.UTF8.GetString(reply.Body.Span)} ({Stopwatch.GetElapsedTime(start).TotalMilliseconds:F1} ms)");
}
