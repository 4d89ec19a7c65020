using System.Diagnostics;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Load;

/// <summary>
/// Three consumers of one group, and a producer at a fixed rate. After a while one consumer hangs, with messages in hand and its
/// connection open, as a process does that is stopped in a debugger. Writes down the backlog of each queue over time, once for plain pull,
/// where each consumer has its queues, and once for pop.
/// </summary>
internal sealed class Hang(LoadOptions options, int perSecond, TimeSpan healthy, TimeSpan hung, TimeSpan after)
{
    private const int Consumers = 3;
    private const int HungConsumer = 0;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SampleInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly string _address = options.Broker.ToString();

    /// <summary>One sample for each way, moment and queue.</summary>
    public async Task<IReadOnlyList<HangSample>> RunAsync(CancellationToken cancel)
    {
        var samples = new List<HangSample>();
        foreach (string way in (string[])["pull", "pop"])
        {
            await RunAsync(way, samples, cancel);
        }

        return samples;
    }

    private async Task RunAsync(string way, List<HangSample> samples, CancellationToken cancel)
    {
        string topic = $"{options.Topic}Hang{way}{Environment.ProcessId}";
        await using var client = NewClient();
        await AskAsync(client, RequestCode.UpdateAndCreateTopic, new CreateTopicHeader
        {
            Topic = topic,
            DefaultTopic = "TBW102",
            ReadQueueNums = options.Queues,
            WriteQueueNums = options.Queues,
            Permission = 6,
        }, cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        long start = Stopwatch.GetTimestamp();
        var again = new Counter();
        List<Task> running = [ProduceAsync(topic, stop.Token)];
        for (int consumer = 0; consumer < Consumers; consumer++)
        {
            running.Add(way == "pull"
                ? PullAsync(topic, consumer, start, stop.Token)
                : PopAsync(topic, consumer, start, again, stop.Token));
        }

        TimeSpan length = healthy + hung + after;
        using var sample = new PeriodicTimer(SampleInterval);
        while (Stopwatch.GetElapsedTime(start) < length)
        {
            await sample.WaitForNextTickAsync(cancel);
            TimeSpan now = Stopwatch.GetElapsedTime(start);
            for (int queueId = 0; queueId < options.Queues; queueId++)
            {
                long backlog = await MaxOffsetAsync(client, topic, queueId, cancel) - await CommittedAsync(client, topic, way, queueId, cancel);
                samples.Add(new HangSample(way, now.TotalSeconds, queueId, backlog, again.Value));
            }
        }

        await stop.CancelAsync();
        foreach (Task task in running)
        {
            await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private bool IsHung(int consumer, long start) =>
        consumer == HungConsumer && Stopwatch.GetElapsedTime(start) is var now && now >= healthy && now < healthy + hung;

    private async Task ProduceAsync(string topic, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        byte[] body = new byte[options.BodyBytes];
        long start = Stopwatch.GetTimestamp();
        using var tick = new PeriodicTimer(Tick);
        for (long sent = 0; ;)
        {
            await tick.WaitForNextTickAsync(cancel);
            long due = (long)(Stopwatch.GetElapsedTime(start).TotalSeconds * perSecond);
            var sends = new List<Task>();
            for (; sent < due; sent++)
            {
                sends.Add(AskAsync(client, RequestCode.SendMessageV2, new SendMessageHeader
                {
                    ProducerGroup = "hang"u8.ToArray(),
                    Topic = Encoding.UTF8.GetBytes(topic),
                    DefaultTopic = "TBW102"u8.ToArray(),
                    DefaultTopicQueueNums = options.Queues,
                    QueueId = (int)(sent % options.Queues),
                }, cancel, body));
            }

            await Task.WhenAll(sends);
        }
    }

    private async Task PullAsync(string topic, int consumer, long start, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        int[] queues = [.. Enumerable.Range(0, options.Queues).Where(queueId => queueId % Consumers == consumer)];
        var next = new long[options.Queues];
        while (true)
        {
            bool any = false;
            foreach (int queueId in queues)
            {
                RemotingCommand answer = await client.InvokeAsync(_address, RequestCode.PullMessage, new PullMessageHeader
                {
                    ConsumerGroup = "hang-pull"u8.ToArray(),
                    Topic = Encoding.UTF8.GetBytes(topic),
                    QueueId = queueId,
                    QueueOffset = next[queueId],
                    MaxMessages = options.Batch,
                    SysFlag = PullSysFlag.Subscription,
                    Subscription = "*"u8.ToArray(),
                }, default, CallTimeout, cancel);
                if (answer.ResponseCode != ResponseCode.Success)
                {
                    continue;
                }

                while (IsHung(consumer, start))
                {
                    await Task.Delay(Tick, cancel);
                }

                any = true;
                next[queueId] = PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
                await AskAsync(client, RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
                {
                    ConsumerGroup = "hang-pull"u8.ToArray(),
                    Topic = Encoding.UTF8.GetBytes(topic),
                    QueueId = queueId,
                    CommitOffset = next[queueId],
                }, cancel);
            }

            if (!any)
            {
                await Task.Delay(Tick, cancel);
            }
        }
    }

    private async Task PopAsync(string topic, int consumer, long start, Counter again, CancellationToken cancel)
    {
        await using RemotingClient client = NewClient();
        while (true)
        {
            RemotingCommand answer = await client.InvokeAsync(_address, RequestCode.PopMessage, new PopMessageHeader
            {
                ConsumerGroup = "hang-pop"u8.ToArray(),
                Topic = Encoding.UTF8.GetBytes(topic),
                QueueId = PopMessageHeader.AnyQueue,
                MaxMessages = options.Batch,
                InvisibleTimeMs = (long)options.Invisible.TotalMilliseconds,
                PollTimeMs = 1000,
            }, default, CallTimeout, cancel);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                continue;
            }

            while (IsHung(consumer, start))
            {
                await Task.Delay(Tick, cancel);
            }

            await AckAsync(client, topic, answer, again, cancel);
        }
    }

    private async Task AckAsync(RemotingClient client, string topic, RemotingCommand answer, Counter again, CancellationToken cancel)
    {
        PopMessageResponseHeader told = PopMessageResponseHeader.Read(answer.Fields);
        Dictionary<string, string> starts = Encoding.UTF8.GetString(told.StartOffsetInfo.Span).Split(';')
            .Select(queue => queue.Split(' ')).ToDictionary(queue => queue[0] + queue[1], queue => queue[2], StringComparer.Ordinal);
        foreach (ReceivedMessage message in MessageDecoder.DecodeAll(answer.Body.FirstSpan))
        {
            bool isRetry = message.ReconsumeTimes > 0;
            string handle = message.Properties.GetValueOrDefault("POP_CK")
                ?? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{starts[$"0{message.QueueId}"]} {told.PopTimeMs} {told.InvisibleTimeMs} 0 0 {options.BrokerName} {message.QueueId} {message.QueueOffset}");
            RemotingCommand acked = await client.InvokeAsync(_address, RequestCode.AckMessage, new AckMessageHeader
            {
                ConsumerGroup = "hang-pop"u8.ToArray(),
                Topic = Encoding.UTF8.GetBytes(isRetry ? $"%RETRY%hang-pop_{topic}" : topic),
                QueueId = message.QueueId,
                ExtraInfo = Encoding.UTF8.GetBytes(handle),
                Offset = message.QueueOffset,
            }, default, CallTimeout, cancel);
            if (isRetry && acked.ResponseCode == ResponseCode.Success)
            {
                again.Increment();
            }
        }
    }

    private async Task<long> MaxOffsetAsync(RemotingClient client, string topic, int queueId, CancellationToken cancel) =>
        OffsetResponseHeader.Read((await AskAsync(client, RequestCode.GetMaxOffset, new QueueHeader(topic, queueId), cancel)).Fields).Offset;

    private async Task<long> CommittedAsync(RemotingClient client, string topic, string way, int queueId, CancellationToken cancel)
    {
        RemotingCommand answer = await client.InvokeAsync(_address, RequestCode.QueryConsumerOffset, new QueryConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes($"hang-{way}"),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queueId,
        }, default, CallTimeout, cancel);
        return answer.ResponseCode == ResponseCode.Success ? OffsetResponseHeader.Read(answer.Fields).Offset : 0;
    }

    private async Task<RemotingCommand> AskAsync<THeader>(
        RemotingClient client, RequestCode code, THeader header, CancellationToken cancel, byte[]? body = null)
        where THeader : IHeaderFields
    {
        RemotingCommand answer = await client.InvokeAsync(_address, code, header, body, CallTimeout, cancel);
        return answer.ResponseCode == ResponseCode.Success
            ? answer
            : throw new InvalidOperationException($"{code}: {answer.ResponseCode} {answer.Remark}");
    }

    private sealed class Counter
    {
        private long _value;

        public long Value => Volatile.Read(ref _value);

        public void Increment() => Interlocked.Increment(ref _value);
    }
}
