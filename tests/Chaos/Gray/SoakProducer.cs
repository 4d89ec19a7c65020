using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Gray;
using GrayMQ.Client.Producers;
using GrayMQ.Gray;

namespace GrayMQ.Chaos.Gray;

/// <summary>Sends at a steady rate, gray and normal messages of all topics and tags; each once.</summary>
/// <param name="isAware">Whether it picks queues of the message's side by itself, or leaves that to brokers as a stock producer does.</param>
/// <param name="phase">The phase that it is now; null while something changes.</param>
internal sealed class SoakProducer(
    string name, string nameServers, bool isAware, TimeSpan interval, int seed, GrayLedger ledger, SoakLog log, Func<GrayPhase?> phase)
{
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan MoreDelay = TimeSpan.FromSeconds(3);
    private static readonly GrayQueues Queues = new(GraySoak.Queues, GrayQueues.DefaultSize);

    private readonly Random _random = new(seed);

    /// <summary>Sends that failed: nobody knows whether those messages are there.</summary>
    public int Failed { get; private set; }

    /// <summary>Messages that were stored in a queue of the other side.</summary>
    public List<string> Misplaced { get; } = [];

    public async Task RunAsync(CancellationToken stop)
    {
        await using var producer = new Producer(new ProducerOptions
        {
            NameServers = nameServers,
            Group = $"soak-{name}",
            GraySwitch = isAware,
            Retries = 0,
        });
        using var timer = new PeriodicTimer(interval);
        for (int number = 0; !stop.IsCancellationRequested; number++)
        {
            await SendAsync(producer, $"{name}-{number}");
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private async Task SendAsync(Producer producer, string id)
    {
        string topic = Shape.Topics[_random.Next(Shape.Topics.Count)];
        string tag = Shape.Tags[_random.Next(Shape.Tags.Count)];
        bool isGray = _random.Next(3) == 0;
        int fate = _random.Next(50);
        var message = new Message(topic, Encoding.UTF8.GetBytes(id + (fate == 0 ? SoakClient.FailMark : "")))
        {
            Tag = tag,
            Delay = fate == 1 ? MinDelay + (_random.NextDouble() * MoreDelay) : null,
        };
        if (!isAware && isGray)
        {
            message.Properties[GrayMark.Property] = GrayMark.Value;
        }

        GrayPhase? before = phase();
        try
        {
            SendResult sent;
            using (GrayContext.Enter(isGray))
            {
                sent = await producer.SendAsync(message);
            }

            log.Sent(id, $"{sent.Queue.BrokerName} {sent.Queue.Topic} {sent.Queue.QueueId} {sent.QueueOffset}");
            GrayPhase? during = ReferenceEquals(before, phase()) ? before : null;
            ledger.Acknowledge(new SoakMessage(id, topic, tag, isGray, IsLate: fate is 0 or 1, during));
            if (fate != 1
                && during is { TopicsAreOn: true }
                && Shape.GrayTopics.Contains(topic)
                && Queues.SideOf(sent.Queue.QueueId) != (isGray ? Side.Gray : Side.Normal))
            {
                Misplaced.Add($"misplaced: {id}, {(isGray ? "gray" : "normal")}, is in queue {sent.Queue.QueueId} of {topic}");
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or GrayMQException)
        {
            Failed++;
        }
    }
}
