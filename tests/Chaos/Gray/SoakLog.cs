using System.Diagnostics;
using System.Globalization;
using GrayMQ.Client.Admin;
using GrayMQ.Client.Errors;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Chaos.Gray;

/// <summary>
/// What happened when, and how much each group had to consume, as lines of columns that tabs separate: seconds, <c>event</c>, words; seconds,
/// <c>backlog</c>, group, messages in gray queues, messages in normal queues; seconds, <c>sent</c>, id, place; seconds, <c>accepted</c> or
/// <c>failed</c>, group, client, id, place.
/// </summary>
internal sealed class SoakLog(string? path) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly StreamWriter? _file = path is null ? null : new StreamWriter(path) { AutoFlush = true };
    private readonly long _begun = Stopwatch.GetTimestamp();

    /// <summary>Since the begin.</summary>
    public double Seconds => Stopwatch.GetElapsedTime(_begun).TotalSeconds;

    public void Tell(string what)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Seconds,7:F1} s  {what}"));
        Write($"event\t{what}");
    }

    /// <summary>Where a message was stored.</summary>
    public void Sent(string id, string place) => Write($"sent\t{id}\t{place}");

    /// <summary>What a client made of a message that it was given.</summary>
    public void Consumed(bool accepted, string group, string client, string id, string place) =>
        Write($"{(accepted ? "accepted" : "failed")}\t{group}\t{client}\t{id}\t{place}");

    /// <summary>Looks at the gray topics' queues again and again.</summary>
    public async Task SampleAsync(
        AdminClient admin, IReadOnlyList<string> brokers, IReadOnlyList<string> groups, CancellationToken stop)
    {
        var queues = new GrayQueues(GraySoak.Queues, GrayQueues.DefaultSize);
        while (!stop.IsCancellationRequested)
        {
            foreach (string group in groups)
            {
                try
                {
                    IReadOnlyDictionary<MessageQueue, OffsetWrapper>[] offsets = await Task.WhenAll(
                        brokers.Select(broker => admin.GetConsumerOffsetsAsync(broker, group, Shape.Orders, CancellationToken.None)));
                    ILookup<Side, long> backlog = offsets.SelectMany(of => of).ToLookup(
                        pair => queues.SideOf(pair.Key.QueueId), pair => pair.Value.BrokerOffset - Math.Max(0, pair.Value.ConsumerOffset));
                    Write($"backlog\t{group}\t{backlog[Side.Gray].Sum()}\t{backlog[Side.Normal].Sum()}");
                }
                catch (Exception e) when (e is IOException or TimeoutException or GrayMQException)
                {
                    // A broker is away: no sum.
                }
            }

            await Task.Delay(Interval, CancellationToken.None);
        }
    }

    public void Dispose() => _file?.Dispose();

    private void Write(string line)
    {
        if (_file is not null)
        {
            lock (_file)
            {
                _file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Seconds:F2}\t{line}"));
            }
        }
    }
}
