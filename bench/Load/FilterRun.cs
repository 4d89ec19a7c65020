using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using GrayMQ.Filtering;
using GrayMQ.Filtering.Indexes;
using GrayMQ.Micro.Filtering;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Load;

/// <summary>
/// What a broker's CPU goes to when many groups subscribe to one topic by conditions of their own, while messages come at a steady rate and every
/// group waits at every queue, as push consumers do. What groups are given is held against their conditions.
/// </summary>
/// <param name="groups">Consumer groups, each with one condition.</param>
/// <param name="rate">Messages sent in a second.</param>
/// <param name="buyers">Different buyers: the fewer, the more groups a message matches.</param>
internal sealed class FilterRun(LoadOptions options, int groups, int rate, int buyers)
{
    private const int Seed = 20261122;
    private const int GroupsOfClient = 20;
    private const int SuspendMs = 15_000;
    private const int TicksPerSecond = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private long _sent;
    private long _expected;
    private long _delivered;
    private long _wrong;
    private long _refused;

    public async Task<FilterResult> RunAsync(string name, CancellationToken cancel)
    {
        await Probe.ReplyBytesAsync(options, cancel);
        var workload = new Workload(Seed, buyers);
        FilterExpression[] conditions = workload.Subscriptions(groups);
        RemotingClient[] clients = [.. Enumerable.Range(0, (groups + GroupsOfClient - 1) / GroupsOfClient).Select(_ => NewClient())];
        await using RemotingClient producer = NewClient();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var consuming = new List<Task>();
        for (int client = 0; client < clients.Length; client++)
        {
            int first = client * GroupsOfClient;
            int last = Math.Min(first + GroupsOfClient, groups);
            await SubscribeAsync(clients[client], client, conditions, first, last, cancel);
            for (int group = first; group < last; group++)
            {
                for (int queue = 0; queue < options.Queues; queue++)
                {
                    consuming.Add(ConsumeAsync(clients[client], group, queue, conditions[group], ending.Token));
                }
            }
        }

        try
        {
            var index = FilterIndex.Build(conditions.Select((condition, id) => KeyValuePair.Create(id, condition)));
            await SendAsync(producer, workload, index, options.WarmUp, cancel);
            await UntilDeliveredAsync(_expected, cancel);
            (long sentBefore, long expectedBefore) = (_sent, _expected);
            ProcessUsage? before = Usage();
            await SendAsync(producer, workload, index, options.Duration, cancel);
            ProcessUsage? after = Usage();
            await UntilDeliveredAsync(_expected, cancel);
            long sent = _sent - sentBefore;
            return new FilterResult(
                name,
                sent,
                (_expected - expectedBefore) / (double)sent,
                before is { } b && after is { } a ? (a.CpuMs - b.CpuMs) * 1000 / sent : double.NaN,
                _expected - _delivered,
                _wrong,
                _refused);
        }
        finally
        {
            await ending.CancelAsync();
            foreach (RemotingClient client in clients)
            {
                await client.DisposeAsync();
            }

            await Task.WhenAll(consuming);
        }
    }

    private static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private static string GroupName(int group) => string.Create(CultureInfo.InvariantCulture, $"load-filter-{group}");

    private async Task SubscribeAsync(
        RemotingClient client, int number, FilterExpression[] conditions, int first, int last, CancellationToken cancel)
    {
        var heartbeat = new HeartbeatData
        {
            ClientId = string.Create(CultureInfo.InvariantCulture, $"load-{number}"),
            ConsumerDataSet =
            [
                .. Enumerable.Range(first, last - first).Select(group => new ConsumerData
                {
                    GroupName = GroupName(group),
                    ConsumeType = ConsumeType.Passively,
                    MessageModel = MessageModel.Clustering,
                    SubscriptionDataSet =
                    [
                        new SubscriptionData
                        {
                            Topic = options.Topic,
                            SubString = conditions[group].Text,
                            ExpressionType = SubscriptionExpression.HeaderType,
                            SubVersion = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
                        },
                    ],
                }),
            ],
        };
        await client.InvokeAsync(
            options.Broker.ToString(), RequestCode.Heartbeat, default(NoHeader), BodyCodec.Encode(heartbeat), Patience, cancel);
    }

    // One queue of one group, from its end on, as a push consumer does.
    private async Task ConsumeAsync(RemotingClient client, int group, int queue, FilterExpression condition, CancellationToken cancel)
    {
        var header = new PullMessageHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(GroupName(group)),
            Topic = Encoding.UTF8.GetBytes(options.Topic),
            QueueId = queue,
            MaxMessages = options.Batch,
            SysFlag = PullSysFlag.Suspend,
            SuspendTimeoutMs = SuspendMs,
        };
        long offset = -1;
        try
        {
            while (true)
            {
                // The queue's end is what a pull from far behind it is told.
                RemotingCommand answer = await client.InvokeAsync(
                    options.Broker.ToString(),
                    RequestCode.PullMessage,
                    header with { QueueOffset = offset < 0 ? long.MaxValue / 2 : offset },
                    default,
                    Patience,
                    cancel);
                switch (answer.ResponseCode)
                {
                    case ResponseCode.Success:
                        Take(answer, condition);
                        break;
                    case ResponseCode.PullNotFound or ResponseCode.PullRetryImmediately or ResponseCode.PullOffsetMoved:
                        break;
                    default:
                        Interlocked.Increment(ref _refused);
                        return;
                }

                offset = PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
            }
        }
        catch (Exception e) when (cancel.IsCancellationRequested && e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // That is how it ends.
        }
    }

    private void Take(RemotingCommand answer, FilterExpression condition)
    {
        foreach (ReceivedMessage message in MessageDecoder.DecodeAll(answer.Body.ToArray()))
        {
            if (condition.Matches(MessagePropertiesCodec.ToBytes(message.Properties)))
            {
                Interlocked.Increment(ref _delivered);
            }
            else
            {
                Interlocked.Increment(ref _wrong);
            }
        }
    }

    private async Task SendAsync(RemotingClient producer, Workload workload, FilterIndex index, TimeSpan time, CancellationToken cancel)
    {
        var matches = new MatchSet();
        var answers = new List<Task<RemotingCommand>>();
        byte[] body = new byte[options.BodyBytes];
        long start = Stopwatch.GetTimestamp();
        long due = (long)(rate * time.TotalSeconds);
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / TicksPerSecond));
        for (long sent = 0; sent < due;)
        {
            await tick.WaitForNextTickAsync(cancel);
            for (long now = Math.Min(due, (long)(Stopwatch.GetElapsedTime(start).TotalSeconds * rate)); sent < now; sent++)
            {
                byte[] properties = workload.Message();
                index.Match(properties, matches);
                _expected += matches.Count;
                _sent++;
                answers.Add(producer.InvokeAsync(
                    options.Broker.ToString(),
                    RequestCode.SendMessageV2,
                    new SendMessageHeader
                    {
                        ProducerGroup = "load"u8.ToArray(),
                        Topic = Encoding.UTF8.GetBytes(options.Topic),
                        DefaultTopic = "TBW102"u8.ToArray(),
                        DefaultTopicQueueNums = options.Queues,
                        QueueId = (int)(_sent % options.Queues),
                        BornTimestampMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
                        Properties = properties,
                    },
                    body,
                    Patience,
                    cancel));
            }
        }

        foreach (RemotingCommand answer in await Task.WhenAll(answers))
        {
            _refused += answer.ResponseCode == ResponseCode.Success ? 0 : 1;
        }
    }

    private async Task UntilDeliveredAsync(long expected, CancellationToken cancel)
    {
        long start = Stopwatch.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / TicksPerSecond));
        while (Volatile.Read(ref _delivered) < expected && Stopwatch.GetElapsedTime(start) < Patience)
        {
            await tick.WaitForNextTickAsync(cancel);
        }
    }

    private ProcessUsage? Usage() => options.ProcessId is int id ? ProcessUsage.Read(id) : null;
}

/// <summary>What a run of <see cref="FilterRun"/> came to.</summary>
/// <param name="MatchesPerMessage">Groups that a message was for.</param>
/// <param name="CpuMicroseconds">Server CPU for each message, all of it; NaN when its process is not known.</param>
/// <param name="Missing">Messages that a group should have got and did not.</param>
/// <param name="Wrong">Messages that a group got and that do not match.</param>
/// <param name="Refused">Answers that were errors.</param>
internal sealed record FilterResult(
    string Name, long Messages, double MatchesPerMessage, double CpuMicroseconds, long Missing, long Wrong, long Refused)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name,-20} {Messages} messages, {MatchesPerMessage:F2} matches each: {CpuMicroseconds:F1} us CPU a message; missing {Missing}, wrong {Wrong}, refused {Refused}");
}
