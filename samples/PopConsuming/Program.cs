// Pops messages: receives some, acknowledges them one by one, lets one come again; then hands further ones to a handler that fails now and
// then. Start a server first (./run.sh), then:
//
//     dotnet run --project samples/PopConsuming [-- NAMESERVERS]
using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Client.Producers;

const string Topic = "SamplePopTopic";
const int Count = 10;
string nameServers = args.Length > 0 ? args[0] : "127.0.0.1:9876";
string run = Guid.NewGuid().ToString("N")[..8];
using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));

await using var producer = new Producer(new ProducerOptions { NameServers = nameServers });
await SendAsync(0);

// When the application wants messages.
await using (var consumer = new PopConsumer(new PopConsumerOptions
{
    NameServers = nameServers,
    Group = "SamplePopGroup" + run,
    ConsumeFrom = ConsumeFrom.First,
    InvisibleTime = TimeSpan.FromSeconds(30),
    Subscriptions = { [Topic] = run },
}))
{
    await consumer.StartAsync(limit.Token);
    bool delayed = false;
    for (int acknowledged = 0; acknowledged < Count;)
    {
        foreach (PoppedMessage popped in await consumer.ReceiveAsync(limit.Token))
        {
            string text = Encoding.UTF8.GetString(popped.Message.Body.Span);
            if (!delayed)
            {
                // Not now: this one is to come again in a second, to whoever asks then.
                delayed = true;
                await consumer.ChangeInvisibleAsync(popped, TimeSpan.FromSeconds(1), limit.Token);
                Console.WriteLine($"put off      {text}");
                continue;
            }

            await consumer.AckAsync(popped, limit.Token);
            acknowledged++;
            Console.WriteLine($"acknowledged {text}, attempt {popped.Message.ReconsumeTimes + 1}");
        }
    }
}

// As they come. Any number of these share the messages, without sharing out queues.
await SendAsync(Count);
var attempts = new ConcurrentDictionary<string, int>();
var handled = new CountdownEvent(Count);
await using var push = new PopPushConsumer(
    new PopPushConsumerOptions
    {
        NameServers = nameServers,
        Group = "SamplePopGroup" + run,
        InvisibleTime = TimeSpan.FromSeconds(30),
        RetryPolicy = RetryPolicy.Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)),
        Subscriptions = { [Topic] = run },
    },
    (message, _) =>
    {
        string text = Encoding.UTF8.GetString(message.Body.Span);
        int attempt = attempts.AddOrUpdate(text, 1, (_, count) => count + 1);
        bool fails = attempt == 1 && text.EndsWith('3');
        Console.WriteLine($"{(fails ? "failed      " : "handled     ")} {text}, attempt {attempt}");
        if (!fails)
        {
            handled.Signal();
        }

        return ValueTask.FromResult(fails ? ConsumeResult.RetryLater : ConsumeResult.Success);
    });
await push.StartAsync(limit.Token);
await Task.Run(() => handled.Wait(limit.Token));
Console.WriteLine("all messages are handled");

async Task SendAsync(int first)
{
    for (int i = first; i < first + Count; i++)
    {
        await producer.SendAsync(new Message(Topic, Encoding.UTF8.GetBytes($"message {i}")) { Tag = run }, limit.Token);
    }
}
