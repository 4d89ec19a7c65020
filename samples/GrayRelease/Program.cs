// Two versions of one service, and somebody who calls them. Start a server first (./run.sh), create the topic and switch gray on:
//
//     ./graymq topic create Orders --queues 6
//     dotnet run --project samples/GrayRelease -- consume v1 [NAMESERVERS]
//     ./graymq gray topic enable Orders --wait
//     dotnet run --project samples/GrayRelease -- consume v2 [NAMESERVERS]
//     ./graymq gray open order-service
//     ./graymq gray rule add order-service --client '*@v2'
//     dotnet run --project samples/GrayRelease -- send 20 [NAMESERVERS]
//     ./graymq gray status order-service
//     ./graymq gray promote order-service --wait
//
// Every fourth message is gray; v2 gets those, v1 the others.
using System.Globalization;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Gray;
using GrayMQ.Client.Producers;

const string Topic = "Orders";
const string Group = "order-service";
if (args is not ["consume" or "send", _, ..])
{
    Console.Error.WriteLine("usage: GrayRelease consume VERSION [NAMESERVERS] | send COUNT [NAMESERVERS]");
    return 2;
}

string nameServers = args.Length > 2 ? args[2] : "127.0.0.1:9876";
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
return args[0] == "send" ? await SendAsync(int.Parse(args[1], CultureInfo.InvariantCulture)) : await ConsumeAsync(args[1]);

async Task<int> SendAsync(int count)
{
    await using var producer = new Producer(new ProducerOptions { NameServers = nameServers, GraySwitch = true });
    for (int i = 0; i < count && !stop.IsCancellationRequested; i++)
    {
        // A gray call chain: what is sent within is marked. A consumer's handler runs in one when it works on a gray message.
        bool gray = i % 4 == 3;
        using GrayContext.Scope chain = GrayContext.Enter(gray);
        SendResult sent = await producer.SendAsync(new Message(Topic, Encoding.UTF8.GetBytes($"order {i}")), stop.Token);
        Console.WriteLine($"{(gray ? "gray  " : "normal")} order {i} is in queue {sent.Queue.QueueId}");
    }

    return 0;
}

async Task<int> ConsumeAsync(string version)
{
    // Nothing here says who is gray: the operator does, by a rule for client ids that end with @v2.
    var options = new PushConsumerOptions
    {
        NameServers = nameServers,
        Group = Group,
        InstanceName = version,
        ConsumeFrom = ConsumeFrom.First,
        Subscriptions = { [Topic] = "*" },
    };
    await using var consumer = new PushConsumer(options, (message, _) =>
    {
        string mark = message.Properties.ContainsKey("grayFlag") ? "gray" : "normal";
        Console.WriteLine($"{version} got {Encoding.UTF8.GetString(message.Body.Span)} ({mark}) from queue {message.QueueId}");
        return ValueTask.FromResult(ConsumeResult.Success);
    });
    await consumer.StartAsync(stop.Token);
    Console.WriteLine($"{version} consumes as {consumer.ClientId}");
    await Task.Delay(Timeout.Infinite, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
    return 0;
}
