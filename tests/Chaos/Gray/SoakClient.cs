using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Chaos.Gray;

/// <summary>How a client consumes.</summary>
internal enum ClientKind
{
    /// <summary>As a stock push consumer: pulls, shares queues out by itself, and knows nothing of gray.</summary>
    Plain,

    /// <summary>Gray-aware: says by its heartbeat whether it is gray, and shares gray and normal queues out apart.</summary>
    Aware,

    /// <summary>Pops, and knows nothing of gray.</summary>
    Pop,
}

/// <summary>
/// One client of the service, as a process of its own that can be killed. Writes the id of each message that it accepts as a line, and where
/// the message was, before it says so to anybody else, with a minus before it if it fails it; takes commands as lines: <c>pause</c>, <c>resume</c>, <c>gray true|false</c>, <c>stop</c>. Ends when its input does.
/// </summary>
internal sealed class SoakClient(ClientKind kind, string nameServers, string group, string instance, Shape shape, bool gray)
{
    /// <summary>Ends the body of a message that the first who gets it fails.</summary>
    public const string FailMark = " fail";

    /// <summary>Begins the line of a message that was failed.</summary>
    public const string Failed = "-";

    /// <summary>The line that says that it consumes.</summary>
    public const string Ready = "ready";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(2);

    private volatile TaskCompletionSource? _paused;

    public async Task<int> RunAsync(CancellationToken cancel)
    {
        Action<bool> setGray;
        Func<Task> stop;
        if (kind == ClientKind.Pop)
        {
            var options = new PopPushConsumerOptions
            {
                NameServers = nameServers,
                Group = group,
                InstanceName = instance,
                ConsumeFrom = ConsumeFrom.First,
                InvisibleTime = TimeSpan.FromSeconds(10),
                RetryPolicy = RetryPolicy.Fixed(RetryDelay),
            };
            Subscribe(options.Subscriptions);
            var consumer = new PopPushConsumer(options, HandleAsync);
            await consumer.StartAsync(cancel);
            setGray = flag => consumer.SetGray(true, flag);
            stop = async () => await consumer.DisposeAsync();
        }
        else
        {
            var options = new PushConsumerOptions
            {
                NameServers = nameServers,
                Group = group,
                InstanceName = instance,
                ConsumeFrom = ConsumeFrom.First,
                RetryPolicy = RetryPolicy.Fixed(RetryDelay),
                GraySwitch = kind == ClientKind.Aware,
                GrayFlag = gray,
            };
            if (kind == ClientKind.Aware)
            {
                options.Allocation = new AllocateMessageQueueGray();
            }

            Subscribe(options.Subscriptions);
            var consumer = new PushConsumer(options, HandleAsync);
            await consumer.StartAsync(cancel);
            setGray = flag => consumer.SetGray(true, flag);
            stop = async () => await consumer.DisposeAsync();
        }

        Console.WriteLine(Ready);
        while (await Console.In.ReadLineAsync(cancel) is { } line && line != "stop")
        {
            switch (line)
            {
                case "pause":
                    _paused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    break;
                case "resume":
                    Resume();
                    break;
                default:
                    setGray(line == "gray true");
                    break;
            }
        }

        Resume();
        await stop();
        return 0;
    }

    private void Subscribe(IDictionary<string, string> subscriptions)
    {
        foreach ((string topic, string tags) in shape.Subscriptions)
        {
            subscriptions[topic] = tags;
        }
    }

    private void Resume()
    {
        _paused?.TrySetResult();
        _paused = null;
    }

    private async ValueTask<ConsumeResult> HandleAsync(ReceivedMessage message, CancellationToken cancel)
    {
        await (_paused?.Task ?? Task.CompletedTask);
        await Task.Delay(Work, cancel);
        string body = Encoding.UTF8.GetString(message.Body.Span);
        if (body.EndsWith(FailMark, StringComparison.Ordinal))
        {
            if (message.ReconsumeTimes == 0)
            {
                Tell($"{Failed}{body[..^FailMark.Length]}", message);
                return ConsumeResult.RetryLater;
            }

            body = body[..^FailMark.Length];
        }

        Tell(body, message);
        return ConsumeResult.Success;
    }

    private static void Tell(string what, ReceivedMessage message) =>
        Console.WriteLine($"{what} {message.StoreHost} {message.Topic} {message.QueueId} {message.QueueOffset}");
}
