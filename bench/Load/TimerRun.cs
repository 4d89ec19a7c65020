using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Load;

/// <summary>
/// How precisely a broker delivers messages that are due within one second, while many others are pending, and what those cost in memory.
/// How late a message is: when it was stored in its topic against when it was to be delivered, by the broker's clock.
/// </summary>
internal sealed class TimerRun(LoadOptions options, long pending, long due)
{
    private const int PullBatch = 32;
    private const long SecondMs = 1000;
    private const long HourMs = 3600 * SecondMs;

    // The pending ones are due from here on, spread over a day.
    private const long PendingFromMs = 12 * HourMs;
    private const long PendingOverMs = 24 * HourMs;

    // Time to send those that are due, beside what is measured.
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(20);

    public async Task RunAsync(CancellationToken cancel)
    {
        await Probe.ReplyBytesAsync(options, cancel);
        ProcessUsage? before = Usage();
        Print("at the start", before);
        if (pending > 0)
        {
            await SendPendingAsync(cancel);
            await Task.Delay(Settle, cancel);
            ProcessUsage? after = Usage();
            Print("with all pending", after);
            if (before is { } b && after is { } a)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{pending} pending messages: {Mib(a.AnonymousBytes - b.AnonymousBytes):F0} MiB more"));
            }
        }

        string topic = options.Topic + "Due";
        LoadOptions dueOptions = options with { Topic = topic };
        await Probe.ReplyBytesAsync(dueOptions, cancel);
        long sent = await SendDueAsync(dueOptions, cancel);

        // The broker is left alone while it delivers: what is looked at here, it has written down.
        await Task.Delay(Lead + Lead, cancel);
        LatencyHistogram late = await MeasureAsync(topic, sent, cancel);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{late.Count} of {sent} delivered; late by p50 {late.PercentileMs(0.5):F1} ms, p99 {late.PercentileMs(0.99):F1} ms, ")
            + string.Create(CultureInfo.InvariantCulture, $"p999 {late.PercentileMs(0.999):F1} ms, at most {late.PercentileMs(1):F1} ms"));
        Print("at the end", Usage());
    }

    private async Task SendPendingAsync(CancellationToken cancel)
    {
        long firstMs = NowMs() + PendingFromMs;
        long start = Stopwatch.GetTimestamp();
        long sent = await SendAsync(options, pending, () => firstMs + Random.Shared.NextInt64(PendingOverMs), cancel);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{sent} messages sent in {took.TotalSeconds:F0} s, {sent / took.TotalSeconds:F0}/s"));
    }

    // Spread evenly over the second that they are due in.
    private async Task<long> SendDueAsync(LoadOptions dueOptions, CancellationToken cancel)
    {
        long firstMs = NowMs() + (long)Lead.TotalMilliseconds;
        long number = 0;
        long sent = await SendAsync(
            dueOptions, due, () => firstMs + (Interlocked.Increment(ref number) * SecondMs / due % SecondMs), cancel);
        if (NowMs() >= firstMs)
        {
            Console.WriteLine("The first were due before the last were sent: the figures say less.");
        }

        return sent;
    }

    private static async Task<long> SendAsync(LoadOptions with, long count, Func<long> dueMs, CancellationToken cancel)
    {
        TimerSendConnection[] connections =
        [
            .. Enumerable.Range(0, with.Connections)
                .Select(index => new TimerSendConnection(with, index, (count + with.Connections - 1) / with.Connections, dueMs)),
        ];
        await Task.WhenAll(connections.Select(connection => Task.Run(() => connection.RunAsync(cancel), cancel)));
        long errors = connections.Sum(connection => connection.Errors);
        if (errors > 0)
        {
            throw new InvalidOperationException($"{errors} messages were refused");
        }

        long sent = connections.Sum(connection => connection.Messages);
        foreach (TimerSendConnection connection in connections)
        {
            connection.Dispose();
        }

        return sent;
    }

    private async Task<LatencyHistogram> MeasureAsync(string topic, long sent, CancellationToken cancel)
    {
        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        var late = new LatencyHistogram();
        long[] offsets = new long[options.Queues];
        long start = Stopwatch.GetTimestamp();
        while (late.Count < sent && Stopwatch.GetElapsedTime(start) < Patience)
        {
            for (int queue = 0; queue < offsets.Length; queue++)
            {
                offsets[queue] = await PullAsync(client, topic, queue, offsets[queue], late, cancel);
            }
        }

        return late;
    }

    private async Task<long> PullAsync(
        RemotingClient client, string topic, int queue, long offset, LatencyHistogram late, CancellationToken cancel)
    {
        var header = new PullMessageHeader
        {
            ConsumerGroup = "load"u8.ToArray(),
            Topic = System.Text.Encoding.UTF8.GetBytes(topic),
            QueueId = queue,
            QueueOffset = offset,
            MaxMessages = PullBatch,
            SysFlag = PullSysFlag.Subscription | PullSysFlag.Suspend,
            SuspendTimeoutMs = SecondMs,
            Subscription = "*"u8.ToArray(),
        };
        RemotingCommand answer = await client.InvokeAsync(
            options.Broker.ToString(), RequestCode.PullMessage, header, default, Patience, cancel);
        if (answer.ResponseCode != ResponseCode.Success)
        {
            return offset;
        }

        foreach (ReceivedMessage message in MessageDecoder.DecodeAll(answer.Body.ToArray()))
        {
            if (message.Properties.TryGetValue(MessageProperty.TimerDeliverMs, out string? time))
            {
                long lateMs = message.StoreTimestampMs - long.Parse(time, CultureInfo.InvariantCulture);
                late.Add(lateMs * 1_000_000);
            }
        }

        return PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
    }

    private static void Print(string when, ProcessUsage? usage)
    {
        if (usage is { } u)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"broker {when}: {Mib(u.AnonymousBytes):F0} MiB anonymous, {Mib(u.ResidentBytes):F0} MiB resident with mapped files, {u.CpuMs / 1000:F1} s CPU"));
        }
    }

    private static double Mib(long bytes) => bytes / (1024.0 * 1024);

    private static long NowMs() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private ProcessUsage? Usage() => options.ProcessId is int id ? ProcessUsage.Read(id) : null;
}
